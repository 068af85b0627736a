//! The decision times of one or several markets, together: what a network of all of them learns from.
//!
//! Rows are counted through all markets: the first row of a market comes behind the last candle of the one before. A network sees
//! features in each market's own standard deviations and learns the logarithm of the volatility over the market's own threshold, so that
//! it cannot tell markets from each other. Of one market nothing is taken away.

use std::ops::Range;

use super::blocks::{RowInputs, Scale};
use super::dataset::{self, Decision, FitPart, Split, Wanted};
use super::error::TrainingError;
use super::loss::Samples;
use super::network::Inputs;
use super::reference::span;
use super::settings::{MarketSettings, Settings};
use super::teacher::TeacherSettings;
use super::trainer::FitSettings;
use veriregime_core::features::sums::Sums;
use veriregime_core::quantile::quantile;
use veriregime_core::types::candle::CandleSeries;
use veriregime_core::types::feature::FeatureSpec;
use veriregime_core::types::manifest::frozen;
use veriregime_core::types::manifest::regime::Label;

/// A market's candles, and what is High there.
#[derive(Debug)]
pub struct PooledMarket<'a> {
    /// What it is called.
    pub settings: MarketSettings,
    /// Its candles.
    pub series: &'a CandleSeries,
    /// Their sums.
    pub sums: Sums<'a>,
    /// What is forecast of it.
    pub label: Label,
    /// What is taken away from the logarithm of its volatilities before a network learns them.
    pub log_offset: f64,
    /// Number of its first candle among those of all markets.
    first: usize,
}

/// Markets that a network learns together, cut at the same times.
#[derive(Debug)]
pub struct Pool<'a> {
    /// In the order of the settings.
    pub markets: Vec<PooledMarket<'a>>,
    /// Which decision times serve for what.
    pub split: &'a Split,
    wanted: Wanted,
}

/// The decision times of a part, market by market.
pub type PooledDecisions = Vec<Vec<Decision>>;

impl<'a> Pool<'a> {
    /// Markets with their thresholds: where the settings have none, the median of what followed the training decisions, at the
    /// student's stride.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`] where a market has no training decision, [`TrainingError::Markets`] where there are not as many series as
    /// markets.
    pub fn new(settings: &'a Settings, series: &'a [CandleSeries], split: &'a Split) -> Result<Self, TrainingError> {
        let wanted_markets = settings.markets();
        if wanted_markets.len() != series.len() {
            let reason = format!("{} candle files for {} markets", series.len(), wanted_markets.len());
            return Err(TrainingError::Markets { reason });
        }
        let lookback = settings.teacher.as_ref().map_or(0, TeacherSettings::lookback_minutes);
        let wanted = Wanted {
            lookback_minutes: lookback.max(settings.features.lookback_minutes),
            max_missing_minutes: settings.features.max_missing_minutes,
            horizon_minutes: settings.label.horizon_minutes,
        };
        let (mut markets, mut first) = (Vec::with_capacity(series.len()), 0);
        let several = wanted_markets.len() > 1;
        for (market, series) in wanted_markets.into_iter().zip(series) {
            let sums = Sums::new(series.candles(), series.carried());
            let threshold = match market.threshold {
                Some(threshold) => threshold,
                None => median(&wanted, &sums, series, split, settings.student.fit.stride_minutes, &market)?,
            };
            let log_offset = if several { frozen(libm::log(threshold)) } else { 0.0 };
            let label = Label { horizon_minutes: settings.label.horizon_minutes, threshold };
            markets.push(PooledMarket { settings: market, series, sums, label, log_offset, first });
            first += series.candles().len();
        }
        Ok(Self { markets, split, wanted })
    }

    /// What decisions need.
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// Training and validation decisions.
    ///
    /// # Errors
    /// [`TrainingError::TooFew`] or [`TrainingError::OneClass`] of a market.
    pub fn decisions(&self, fit: &FitSettings) -> Result<[PooledDecisions; 2], TrainingError> {
        self.decisions_in(&self.wanted, self.split, fit)
    }

    /// As [`Pool::decisions`], with other needs and cut at other times.
    ///
    /// # Errors
    /// As [`Pool::decisions`].
    pub fn decisions_in(
        &self,
        wanted: &Wanted,
        split: &Split,
        fit: &FitSettings,
    ) -> Result<[PooledDecisions; 2], TrainingError> {
        let part = |market: &PooledMarket<'_>, times: &Range<i64>, part: &str| {
            let found = wanted.decisions(&market.sums, market.series.start_ms(), times, fit.stride_minutes);
            let high = found.iter().filter(|(_, volatility)| *volatility > market.label.threshold).count();
            match found.len() {
                0 => Err(TrainingError::TooFew { part: self.named(part, market), found: 0, needed: 1 }),
                all if high == 0 || high == all => Err(TrainingError::OneClass { part: self.named(part, market) }),
                _ => Ok(found),
            }
        };
        let all = |times: &Range<i64>, name: &str| {
            self.markets.iter().map(|market| part(market, times, name)).collect::<Result<PooledDecisions, _>>()
        };
        Ok([all(&split.train, "training")?, all(&split.validation, "validation")?])
    }

    /// A part's name, with the market's where there are several.
    fn named(&self, part: &str, market: &PooledMarket<'_>) -> String {
        if self.markets.len() == 1 { part.to_owned() } else { format!("{part} of {}", market.settings.name) }
    }

    /// Decisions that the weekly profile averages over.
    pub fn profile(&self, fit: &FitSettings) -> PooledDecisions {
        let wanted = Wanted { lookback_minutes: 1, ..self.wanted };
        let of_market = |market: &PooledMarket<'_>| {
            wanted.decisions(&market.sums, market.series.start_ms(), &self.split.profile, fit.stride_minutes)
        };
        self.markets.iter().map(of_market).collect()
    }

    /// Decisions of each market as statistics are fitted on them.
    pub fn fit_parts<'b>(&'b self, train: &'b PooledDecisions, profile: &'b PooledDecisions) -> Vec<FitPart<'b>>
    where
        'a: 'b,
    {
        let parts = self.markets.iter().zip(train.iter().zip(profile));
        let part =
            |(market, (train, profile)): (&'b PooledMarket<'a>, (&'b Vec<Decision>, &'b Vec<Decision>))| FitPart {
                sums: &market.sums,
                start_ms: market.series.start_ms(),
                train: train.as_slice(),
                profile: profile.as_slice(),
            };
        parts.map(part).collect()
    }

    /// Mean and standard deviation of what a network learns of the volatility; every market counts the same.
    pub fn log_volatility_moments(&self, train: &PooledDecisions) -> [f64; 2] {
        let parts: Vec<_> =
            train.iter().zip(&self.markets).map(|(part, market)| (&part[..], market.log_offset)).collect();
        dataset::log_volatility_moments(&parts)
    }

    /// The rows of the decisions, market after market; `scales` and `features` are those of each market.
    ///
    /// # Errors
    /// [`TrainingError::Features`] for a spec that cannot be computed.
    pub fn inputs(
        &self,
        scales: &[&[Scale]],
        features: &[&FeatureSpec],
        parts: [&PooledDecisions; 2],
    ) -> Result<PooledInputs, TrainingError> {
        let rows = |(index, market): (usize, &PooledMarket<'_>)| {
            let at: Vec<usize> = parts.iter().flat_map(|part| &part[index]).map(|(at, _)| *at).collect();
            let rows = RowInputs::new(scales[index], features[index], market.series, span(&at))?;
            Ok::<_, TrainingError>((market.first, rows))
        };
        Ok(PooledInputs { markets: self.markets.iter().enumerate().map(rows).collect::<Result<_, _>>()? })
    }

    /// Numbers of decisions, one each and market after market, as those of each market.
    pub fn parted<'b>(&self, decisions: &'b PooledDecisions, mut values: &'b [f64]) -> impl Iterator<Item = &'b [f64]> {
        decisions.iter().map(move |decisions| {
            let (own, rest) = values.split_at(decisions.len().min(values.len()));
            values = rest;
            own
        })
    }

    /// The outcomes of decisions as a network learns them, market after market.
    ///
    /// Markets that were listed later have fewer decisions. Each weighs the same in all, as a forecast is wanted of each, and as the
    /// longest would decide alone else; what a market has little of, is only learnt from more often.
    pub fn samples(&self, decisions: &PooledDecisions, moments: [f64; 2]) -> Samples {
        let mut all = Samples::default();
        for (market, decisions) in self.markets.iter().zip(decisions) {
            let own = dataset::samples(decisions, market.label.threshold, market.log_offset, moments);
            all.at.extend(own.at.iter().map(|at| at + market.first));
            all.high.extend(own.high);
            all.log_volatility.extend(own.log_volatility);
        }
        let count = all.len() as f64 / self.markets.len() as f64;
        let share = |part: &Vec<Decision>| vec![(count / part.len() as f64) as f32; part.len()];
        all.weight = (self.markets.len() > 1).then(|| decisions.iter().flat_map(share).collect());
        all
    }
}

/// The rows of several markets.
#[derive(Debug)]
pub struct PooledInputs {
    /// Number of the first candle, and the rows, of each market.
    markets: Vec<(usize, RowInputs)>,
}

impl Inputs for PooledInputs {
    fn columns(&self) -> usize {
        self.markets.first().map_or(0, |(_, rows)| rows.columns())
    }

    fn append(&self, at: usize, row: &mut Vec<f32>) {
        let market = self.markets.partition_point(|(first, _)| *first <= at).saturating_sub(1);
        if let Some((first, rows)) = self.markets.get(market) {
            rows.append(at - first, row);
        }
    }
}

/// Median of the volatilities that followed a market's training decisions.
fn median(
    wanted: &Wanted,
    sums: &Sums<'_>,
    series: &CandleSeries,
    split: &Split,
    stride_minutes: usize,
    market: &MarketSettings,
) -> Result<f64, TrainingError> {
    let found = wanted.decisions(sums, series.start_ms(), &split.train, stride_minutes);
    let volatilities: Vec<f64> = found.iter().map(|(_, volatility)| *volatility).collect();
    let median = frozen(quantile(&volatilities, 0.5));
    if median > 0.0 && median < 1.0 {
        return Ok(median);
    }
    Err(TrainingError::TooFew { part: format!("training of {}", market.name), found: found.len(), needed: 1 })
}
