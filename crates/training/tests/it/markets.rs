//! Several markets that are learnt together: nothing leaks, none decides alone, and one market is what it was.

use burn::tensor::Device;
use serde_json::json;
use veriregime_core::model::Layout;
use veriregime_core::model::onnx::of_market;
use veriregime_core::types::candle::{Candle, CandleSeries};
use veriregime_core::types::diagnostic::Diagnostic;
use veriregime_core::types::feature::{Feature, FeatureSpec};
use veriregime_core::types::manifest::inputs::Market;
use veriregime_core::types::prediction::REGIME_OUTPUTS;
use veriregime_core::types::time::parse_utc_ms;
use veriregime_training::blocks::{RowInputs, ScaleSettings};
use veriregime_training::checkpoint::{RunFolder, Unfinished};
use veriregime_training::dataset::{Split, fit_specs};
use veriregime_training::error::TrainingError;
use veriregime_training::evaluation::outcomes::Forecaster;
use veriregime_training::evaluation::tallies::Metric;
use veriregime_training::evaluation::{Comparison, Subject};
use veriregime_training::feature_settings::FeatureSettings;
use veriregime_training::network::Inputs;
use veriregime_training::pool::Pool;
use veriregime_training::settings::{MarketSettings, Settings};
use veriregime_training::student::LayerSettings;
use veriregime_training::teacher::TeacherSettings;
use veriregime_training::{Run, Trained};

use crate::market::candles;

const DAYS: usize = 70;
/// Days by which the second market was listed later.
const LATER_DAYS: usize = 12;
/// How much wilder it is.
const WILDER: f64 = 3.0;
/// Where prices begin.
const LEVEL: f64 = 20_000.0;

/// Settings of two markets without thresholds, a teacher among them, for a few weeks of simulated candles.
fn settings() -> Settings {
    let text = include_str!("../../../../models/train.toml");
    let mut settings: Settings = toml::from_str(text).expect("the shipped settings are whole");
    let market = |name: &str| MarketSettings { name: name.into(), symbol: name.replace('-', ""), threshold: None };
    settings.market = None;
    settings.markets = vec![market("ONE-USD"), market("TWO-USD")];
    settings.label.threshold = None;
    settings.split.train_from = "2024-01-02".into();
    settings.split.profile_from = "2024-01-02".into();
    settings.split.protocol_from = "2024-01-01".into();
    settings.split.protocol_to = "2024-03-11".into();
    settings.features = FeatureSettings {
        candle: vec![
            Feature::LogRmsReturn { minutes: 30 },
            Feature::LogRmsReturn { minutes: 240 },
            Feature::LogMeanAbsoluteReturn { minutes: 1440 },
        ],
        calendar: vec![Feature::WeeklyProfile { minutes_before: 0 }, Feature::DaySine { harmonic: 1 }],
        lookback_minutes: 1441,
        max_missing_minutes: 30,
        ..settings.features
    };
    settings.student.layers = vec![LayerSettings::Linear(6), LayerSettings::Square];
    settings.student.fit.stride_minutes = 7;
    settings.student.fit.batch = 256;
    settings.student.restarts = 2;
    settings.original_cnn = None;
    settings.teacher = settings.teacher.map(|teacher| TeacherSettings {
        members: 1,
        scales: vec![ScaleSettings {
            every_minutes: 30,
            count: 8,
            patch: 4,
            units: 2,
            channels: vec![Feature::LogRmsReturn { minutes: 30 }],
        }],
        summary: settings.features.clone(),
        fit: settings.student.fit.clone(),
        ..teacher
    });
    settings
}

fn series(candles: &[Candle]) -> CandleSeries {
    let (first, last) = (candles[0].open_time_ms, candles[candles.len() - 1].close_time_ms());
    CandleSeries::new(candles, first, last, 1000).expect("a whole series")
}

/// The same moves, so many times as large, around the same level.
fn wilder(mut candles: Vec<Candle>) -> Vec<Candle> {
    for candle in &mut candles {
        for price in [&mut candle.open, &mut candle.high, &mut candle.low, &mut candle.close] {
            *price = LEVEL * (WILDER * (*price / LEVEL).ln()).exp();
        }
    }
    candles
}

/// A market, and one that is wilder and was listed later.
fn markets(seed: u64) -> [Vec<Candle>; 2] {
    let whole = |seed| candles(seed, parse_utc_ms("2024-01-01").expect("a date"), DAYS * 1440);
    [whole(seed), wilder(whole(seed + 100)).split_off(LATER_DAYS * 1440)]
}

fn train(settings: &Settings, series: &[CandleSeries]) -> Result<Trained, TrainingError> {
    let folder = tempfile::tempdir().unwrap();
    let folder = RunFolder::open(&folder.path().join("run"), &json!(settings), Unfinished::Refuse)?;
    veriregime_training::train(&Run { settings, series, device: &Device::flex(), folder: &folder }, |_, _| ())
}

#[test]
fn one_network_forecasts_two_markets_at_their_own_medians() {
    let mut settings = settings();
    settings.student.expects_variance = true;
    let series = markets(1).map(|candles| series(&candles));
    let trained = train(&settings, &series).unwrap();
    assert_eq!(trained, train(&settings, &series).unwrap(), "to the bit");
    let [one, two] = &trained.markets[..] else { panic!("two markets") };
    let ratio = two.label.threshold / one.label.threshold;
    assert!((2.0..4.5).contains(&ratio), "{ratio}");
    assert!(one.parts[0].samples > two.parts[0].samples, "it was listed later");
    assert_eq!(one.features.calendar, two.features.calendar);
    assert_ne!(one.features.candle, two.features.candle);
    // The profile is of no level.
    let level = one.features.weekly_profile.iter().map(|part| i64::from(*part)).sum::<i64>();
    assert!(level.abs() < 200, "{level}");
    let teacher = trained.teacher.as_ref().unwrap();
    assert_eq!(teacher.spec.markets(), 2);
    for (index, (market, series)) in trained.markets.iter().zip(&series).enumerate() {
        assert!(
            market.log_lift > 0.005 && market.log_lift < 0.3,
            "variances are above the mean's: {}",
            market.log_lift
        );
        assert!((market.parts[0].share_high - 0.5).abs() < 0.01, "the median of training: {:?}", market.parts);
        let onnx = of_market(&trained.of_markets().on_grid(16).to_onnx(2), index).unwrap();
        let layout = Layout {
            markets: 1,
            features: market.features.count(),
            outputs: REGIME_OUTPUTS.len(),
            feature_bound: market.features.bound(),
            input_scale: 13,
            param_scale: 16,
            output_scale: 74,
        };
        let subject = Subject {
            onnx: &onnx,
            layout,
            features: &market.features,
            label: &market.label,
            grid: settings.grid(),
            baselines: &market.baselines,
        };
        let comparison = Comparison::new(&subject, series, &trained.split.test, 0).unwrap();
        let report = comparison.report();
        let figure = |metric| report.figure(Forecaster::StudentCircuit, metric).unwrap().value;
        assert!(figure(Metric::Auc) > 0.75, "{report:?}");
        // In the market's own units: no R² without the offset.
        assert!(figure(Metric::LogVolatilityR2) > 0.2, "{report:?}");
        let said = teacher.forecast(index, series, &comparison.outcomes.at, &Device::flex()).unwrap();
        let gaps = said.iter().zip(&comparison.outcomes.log_volatility).map(|([_, said], came)| said - came);
        let gap = gaps.sum::<f64>() / said.len() as f64;
        assert!(gap.abs() < 0.3, "the teacher's level in {}: {gap}", market.market.name);
    }
    assert!(teacher.forecast(2, &series[0], &[5_000], &Device::flex()).is_err(), "there is no third market");
}

/// What is learnt from the training part before any network.
fn statistics(settings: &Settings, series: &[CandleSeries]) -> (Vec<f64>, Vec<FeatureSpec>, [f64; 2]) {
    let split = Split::new(settings, series[0].end_ms()).unwrap();
    let pool = Pool::new(settings, series, &split).unwrap();
    let fit = &settings.student.fit;
    let [train, _] = pool.decisions(fit).unwrap();
    let thresholds = pool.markets.iter().map(|market| market.label.threshold).collect();
    let specs = fit_specs(&settings.features, &pool.fit_parts(&train, &pool.profile(fit))).unwrap();
    (thresholds, specs, pool.log_volatility_moments(&train))
}

#[test]
fn nothing_behind_the_training_part_of_any_market_changes_what_is_learnt_from_it() {
    let settings = settings();
    let [one, two] = markets(2);
    let end_ms = one[one.len() - 1].close_time_ms();
    let split = Split::new(&settings, end_ms).unwrap();
    let before = statistics(&settings, &[series(&one), series(&two)]);
    // Other candles from validation on, at prices that go on from those before.
    let changed = |candles: &[Candle], other: Vec<Candle>| {
        let validation = candles.partition_point(|candle| candle.open_time_ms < split.validation.start);
        let other = wilder(other).split_off(DAYS * 1440 - candles.len());
        let ratio = candles[validation].close / other[validation].close;
        let mut changed = candles.to_vec();
        for (candle, other) in changed.iter_mut().zip(other).skip(validation) {
            let scaled = |price: f64| price * ratio;
            let [open, high, low, close] = [other.open, other.high, other.low, other.close].map(scaled);
            *candle = Candle { open, high, low, close, volume: other.volume * 3.0, ..*candle };
        }
        changed
    };
    let [other, another] = [7, 8].map(|seed| candles(seed, one[0].open_time_ms, DAYS * 1440));
    let changed = [changed(&one, other), changed(&two, another)];
    assert!(changed[0] != one && changed[1] != two);
    let after = statistics(&settings, &[series(&changed[0]), series(&changed[1])]);
    assert_eq!(before, after);
}

#[test]
fn one_market_in_a_list_is_what_it_is_without() {
    let [candles, _] = markets(3);
    let series = [series(&candles)];
    let mut listed = settings();
    listed.markets.truncate(1);
    let mut alone = listed.clone();
    alone.market = alone.markets.pop().map(|one| Market { name: one.name, symbol: one.symbol });
    let [listed, alone] = [listed, alone].map(|settings| train(&settings, &series).unwrap());
    assert_eq!(listed, alone);
    assert!(alone.markets[0].log_offset.abs() < f64::EPSILON && alone.teacher.unwrap().spec.log_offsets.is_empty());
}

#[test]
fn rows_and_weights_are_those_of_each_market() {
    let settings = settings();
    let series = markets(4).map(|candles| series(&candles));
    let split = Split::new(&settings, series[0].end_ms()).unwrap();
    let pool = Pool::new(&settings, &series, &split).unwrap();
    let fit = &settings.student.fit;
    let [train, validation] = pool.decisions(fit).unwrap();
    let specs = fit_specs(&settings.features, &pool.fit_parts(&train, &pool.profile(fit))).unwrap();
    let inputs = pool.inputs(&[&[], &[]], &specs.iter().collect::<Vec<_>>(), [&train, &validation]).unwrap();
    let samples = pool.samples(&train, pool.log_volatility_moments(&train));
    let weight = samples.weight.as_ref().unwrap();
    let mut row = 0;
    for ((market, spec), decisions) in series.iter().zip(&specs).zip(&train) {
        let (first, last) = (decisions[0].0, decisions[decisions.len() - 1].0);
        let alone = RowInputs::new(&[], spec, market, first..last + 1).unwrap();
        let mut counted = 0.0;
        for (at, _) in decisions {
            let [mut pooled, mut own] = [Vec::new(), Vec::new()];
            inputs.append(samples.at[row], &mut pooled);
            alone.append(*at, &mut own);
            assert_eq!(pooled, own);
            counted += f64::from(weight[row]);
            row += 1;
        }
        assert!((counted / samples.len() as f64 - 0.5).abs() < 1e-3, "each market counts the same: {counted}");
    }
    assert_eq!(row, samples.len());
}

#[test]
fn markets_that_do_not_go_together_are_refused_by_code() {
    let right = settings();
    right.check().unwrap();
    let one = [series(&markets(5)[0])];
    assert_eq!(train(&right, &one).unwrap_err().code(), "VR-TRAIN-013");
    let changes: [fn(&mut Settings); 6] = [
        |settings| settings.markets[1].name = "ONE-USD".into(),
        |settings| settings.markets[0].threshold = Some(0.0),
        |settings| settings.label.threshold = Some(0.0006),
        |settings| settings.market = Some(Market { name: "A".into(), symbol: "A".into() }),
        |settings| settings.markets.clear(),
        |settings| settings.original_cnn = Some(settings.student.fit.clone()),
    ];
    for change in changes {
        let mut wrong = right.clone();
        change(&mut wrong);
        assert_eq!(wrong.check().unwrap_err().code(), "VR-TRAIN-001", "{wrong:?}");
    }
    // A market that begins only after the training part.
    let [first, second] = markets(6);
    let late = second[second.len() - 20 * 1440..].to_vec();
    let refused = train(&right, &[series(&first), series(&late)]).unwrap_err();
    assert_eq!(refused.code(), "VR-TRAIN-002");
    assert!(refused.to_string().contains("TWO-USD"), "{refused}");
}
