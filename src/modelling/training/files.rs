//! Which candle file is which market's.

use std::path::Path;

use crate::modelling::candle_file::CandleFile;
use veriregime_core::types::manifest::inputs::Market;
use veriregime_training::error::TrainingError;

/// The file of each of `markets`, in their order, as far as there is one. One unnamed file is one market's.
///
/// # Errors
/// [`TrainingError::Markets`] for files of other markets, of the same one, or that do not say of which; or for none at all.
pub(super) fn of_markets<'a>(
    files: &'a [CandleFile],
    markets: &[Market],
) -> Result<Vec<Option<&'a Path>>, TrainingError> {
    let refuse = |reason: String| Err(TrainingError::Markets { reason });
    if files.is_empty() {
        return refuse("no candle file".to_owned());
    }
    let mut found = vec![None; markets.len()];
    for file in files {
        let at = match &file.market {
            None if markets.len() == 1 => 0,
            None => return refuse(format!("{} could be any of {} markets", file.path.display(), markets.len())),
            Some(name) => match markets.iter().position(|market| market.name == *name) {
                Some(at) => at,
                None => return refuse(format!("{name} is no market of this model")),
            },
        };
        if found[at].replace(file.path.as_path()).is_some() {
            return refuse(format!("two candle files for {}", markets[at].name));
        }
    }
    Ok(found)
}

/// As [`of_markets`], where each must have one.
///
/// # Errors
/// As [`of_markets`].
pub(super) fn of_each<'a>(files: &'a [CandleFile], markets: &[Market]) -> Result<Vec<&'a Path>, TrainingError> {
    let found = of_markets(files, markets)?.into_iter().zip(markets);
    let path = |(path, market): (Option<&'a Path>, &Market)| {
        path.ok_or_else(|| TrainingError::Markets { reason: format!("no candle file for {}", market.name) })
    };
    found.map(path).collect()
}

#[cfg(test)]
mod tests {
    use veriregime_core::types::diagnostic::Diagnostic;

    use super::*;

    #[test]
    fn files_find_their_markets_or_are_refused() {
        let market = |name: &str| Market { name: name.into(), symbol: name.into() };
        let (one, two) = ([market("A")], [market("A"), market("B")]);
        let files = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<CandleFile>>();
        let paths = |texts: &[&str], markets: &[Market]| {
            of_markets(&files(texts), markets)
                .map(|found| found.iter().map(|path| path.map(Path::to_owned)).collect::<Vec<_>>())
        };
        let path = |text: &str| Some(Path::new(text).to_owned());
        assert_eq!(paths(&["a.csv"], &one).unwrap(), [path("a.csv")]);
        assert_eq!(paths(&["A=a.csv"], &one).unwrap(), [path("a.csv")]);
        assert_eq!(paths(&["B=b.csv", "A=a.csv"], &two).unwrap(), [path("a.csv"), path("b.csv")]);
        assert_eq!(paths(&["B=b.csv"], &two).unwrap(), [None, path("b.csv")]);
        for wrong in [&[][..], &["a.csv"], &["C=a.csv"], &["A=a.csv", "A=b.csv"]] {
            assert_eq!(paths(wrong, &two).unwrap_err().code(), "VR-TRAIN-013", "{wrong:?}");
        }
        assert!(of_each(&files(&["A=a.csv", "B=b.csv"]), &two).is_ok());
        assert_eq!(of_each(&files(&["B=b.csv"]), &two).unwrap_err().code(), "VR-TRAIN-013");
    }
}
