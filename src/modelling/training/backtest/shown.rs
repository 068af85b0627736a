//! A backtest for people, and as CSV.

use super::cost::BreakEven;
use super::signals::{FORESIGHT, ON_CHAIN, OURS, OURS_QUICK, OWN_POOL};
use super::{Backtest, assumed, is_shown};
use crate::render::layout::{Table, text};
use crate::render::{Render, lines};
use veriregime_backtest::closure::{Closure, SHOWN};
use veriregime_backtest::given::DAYS_OF_A_YEAR;
use veriregime_backtest::loans::{Equal, LoanRow};
use veriregime_backtest::study::{Comparison, Row};

const THOUSAND: f64 = 1e3;
const MILLION: f64 = 1e6;
/// Forecasts that need no network.
const RIVALS: [&str; 5] = ["har_clock", "har", "garch", "persistence", "clock"];
/// A difference of so many standard errors is called one.
const SURE: f64 = 2.0;

/// All rows, with a header.
pub(super) fn csv(rows: &[Row]) -> anyhow::Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

impl Render for Backtest {
    fn text(&self) -> String {
        let fitted = self.terms.iter().find(|terms| terms.closure == SHOWN);
        let mut all = vec![text(&format!(
            "{}, judged from {} to {}, fitted from {} on; model {}, blocks of {} s.",
            self.market, self.judged_from, self.judged_to, self.fitted_from, self.model_id, self.block_seconds
        ))];
        all.extend(self.fitted_until.iter().map(|until| {
            text(&format!("The model was fitted and chosen on data up to {until}: the days before flatter it."))
        }));
        all.extend(fitted.map(|terms| {
            text(&format!(
                "A constant product pool of $100M. Others trade {:.1} % of it a day at no fee, as the root of the market's volume, and e^(−1000 · fee) of that: so much that the best static fee, {:.1} bps, just paid.",
                terms.turnover * 100.0,
                terms.static_fee * 1e4
            ))
        }));
        all.push("\nmore than the static fee, thousand $ a year".to_owned());
        all.push(self.policies().to_string());
        all.push("\nforecast once a period, over the static fee, thousand $ a year, by how others trade".to_owned());
        all.push(self.assumptions().to_string());
        all.push("\nloans: the ratio of new ones follows the volatility; ten thousand borrowers".to_owned());
        all.push(self.loans().to_string());
        all.push("\nthe fall that is exceeded once in a hundred periods, forecast".to_owned());
        all.push(self.tails().to_string());
        all.push("\nthe deepest falls, and the forecast that preceded each".to_owned());
        all.push(self.stress().to_string());
        all.push("\nfrom what size of the pool on it pays its gas".to_owned());
        all.push(self.costs().to_string());
        all.push(format!("\n{}", text(&self.verdict())));
        lines(all)
    }
}

impl Backtest {
    fn policies(&self) -> Table {
        let mut table = Table::new(&[
            "policy",
            "own",
            "of foresight",
            "equal mean",
            "own − static of its mean",
            "fee, bps",
            "best 5 days",
        ]);
        for row in self.amm.iter().filter(|row| is_shown(row) && row.comparison == Comparison::Own) {
            let other = |comparison| self.row(&row.policy, comparison).map_or_else(String::new, thousands);
            let share =
                |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{:.0} %", value * 100.0));
            table.add_row(vec![
                row.policy.clone(),
                thousands(row),
                share(row.share_of_foresight),
                other(Comparison::EqualMean),
                other(Comparison::StaticSameMean),
                format!("{:.1}", row.mean_fee_pips / 100.0),
                share(row.best_five_days_share),
            ]);
        }
        table
    }

    fn assumptions(&self) -> Table {
        let epsilons = veriregime_backtest::closure::EPSILONS;
        let header: Vec<String> = std::iter::once("volume as market's to the".to_owned())
            .chain(epsilons.map(|epsilon| format!("ε {epsilon}")))
            .collect();
        let mut table = Table::new(&header.iter().map(String::as_str).collect::<Vec<_>>());
        for theta in veriregime_backtest::closure::THETAS {
            let cell = |epsilon: f64| {
                let is_it = |row: &&Row| {
                    let is_own = row.policy == OURS && row.comparison == Comparison::Own;
                    is_own && assumed(row) == (Closure { theta, epsilon })
                };
                self.amm.iter().find(is_it).map_or_else(String::new, thousands)
            };
            let mut cells = vec![format!("{theta}")];
            cells.extend(epsilons.map(cell));
            table.add_row(cells);
        }
        table
    }

    fn loans(&self) -> Table {
        let header = [
            "policy",
            "liquidation",
            "equal",
            "liquidated a year",
            "more than static",
            "bad debt, $ a year",
            "debt / collateral",
        ];
        let mut table = Table::new(&header);
        for row in &self.lending {
            let equal = match row.equal {
                Equal::MeanLtv => "mean LTV",
                Equal::Usage => "usage",
            };
            let error = row.standard_error.map_or_else(String::new, |error| format!(" ± {:.1}", error * 100.0));
            table.add_row(vec![
                row.policy.clone(),
                format!("{:.0} %, {} min", row.liquidation_ratio * 100.0, row.keeper_minutes),
                equal.to_owned(),
                format!("{:.1} %", row.liquidated_share * 100.0),
                format!("{:+.1}{error} pp", row.more_than_static * 100.0),
                format!("{:.0}", row.bad_debt_usd),
                format!("{:.3}", row.usage),
            ]);
        }
        table
    }

    fn tails(&self) -> Table {
        let mut table = Table::new(&["forecast by", "exceeded", "pinball loss, bps", "skill"]);
        for row in &self.tail {
            table.add_row(vec![
                row.by.to_owned(),
                format!("{:.1} %", row.exceeded * 100.0),
                format!("{:.2}", row.pinball * 1e4),
                format!("{:.3}", row.skill),
            ]);
        }
        table
    }

    fn stress(&self) -> Table {
        let mut table = Table::new(&["day", "fall", "from, UTC", "forecast, bps", "next 4 h, bps"]);
        for one in &self.stress_days {
            table.add_row(vec![
                one.day.clone(),
                format!("{:.1} %", one.fall * 100.0),
                one.from[11..].to_owned(),
                format!("{:.2}", one.forecast_volatility * 1e4),
                format!("{:.2}", one.realised_volatility * 1e4),
            ]);
        }
        table
    }

    fn costs(&self) -> Table {
        let mut table = Table::new(&["policy", "verification", "gwei", "gas, $ a year", "pool, million $"]);
        for one in &self.break_even_tvl_usd {
            let BreakEven { policy, verification, gwei, cost_usd_per_year, tvl_usd } = one;
            let pool = tvl_usd.map_or_else(|| "never".to_owned(), |usd| format!("{:.2}", usd / MILLION));
            let cells = [
                (*policy).to_owned(),
                (*verification).to_owned(),
                format!("{gwei}"),
                format!("{cost_usd_per_year:.0}"),
                pool,
            ];
            table.add_row(cells.to_vec());
        }
        table
    }

    /// One paragraph, of rows that are there.
    fn verdict(&self) -> String {
        let row = |policy, comparison| self.row(policy, comparison);
        let (Some(ours), Some(own)) = (row(OURS, Comparison::StaticSameMean), row(OURS, Comparison::Own)) else {
            return String::new();
        };
        let at_own_mean = format!(
            "At the mean fee of its own, the forecast once a period {} {} thousand dollars a year.",
            verb(ours),
            thousands(ours)
        );
        let known = row(FORESIGHT, Comparison::Own).zip(own.share_of_foresight).map(|(known, share)| {
            format!(
                "That who knows the period to come would earn {:.0}; the forecast has {:.0} % of it.",
                known.usd_per_year / THOUSAND,
                share * 100.0
            )
        });
        let rivals = RIVALS.iter().filter_map(|name| row(name, Comparison::Own));
        let best = rivals.max_by(|left, right| left.usd_per_year.total_cmp(&right.usd_per_year)).map(|best| {
            let error = paired_error(&own.daily_usd, &best.daily_usd);
            let error = error.map_or_else(String::new, |error| format!(" ± {:.0}", error / THOUSAND));
            let gap = (own.usd_per_year - best.usd_per_year) / THOUSAND;
            format!("Over the best forecast that needs no network, {}, it is {gap:+.0}{error} thousand.", best.policy)
        });
        let quick = row(OURS_QUICK, Comparison::Own).filter(|_| own.usd_per_year > 0.0).map(|quick| {
            format!(
                "Made every quarter of an hour it earns {:.2} times as much.",
                quick.usd_per_year / own.usd_per_year
            )
        });
        let held = row(ON_CHAIN, Comparison::Own).map(|held| {
            let error = paired_error(&own.daily_usd, &held.daily_usd);
            let error = error.map_or_else(String::new, |error| format!(" ± {:.0}", error / THOUSAND));
            let cost = (own.usd_per_year - held.usd_per_year) / THOUSAND;
            format!(
                "What the contract holds back (more than one forecast before it loosens, limits on falls, a delay) costs {cost:.0}{error} thousand of it."
            )
        });
        let pool = row(OWN_POOL, Comparison::Own).map(|pool| {
            format!(
                "A pool that looks at its own last quarter of an hour, without any oracle, earns {:.0}, as long as nobody trades to move it.",
                pool.usd_per_year / THOUSAND
            )
        });
        let is_it = |row: &&LoanRow| row.policy == OURS && row.equal == Equal::Usage;
        let loans = self.lending.iter().find(is_it).map(|row| {
            format!(
                "A ratio for new loans that follows it liquidates {:+.1}{} percentage points of all debt a year more than a static one, at the same usage.",
                row.more_than_static * 100.0,
                row.standard_error.map_or_else(String::new, |error| format!(" ± {:.1}", error * 100.0))
            )
        });
        let said = [Some(at_own_mean), known, best, held, quick, pool, loans];
        said.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

/// Standard error of the difference of two policies, a year.
fn paired_error(ours: &[f64], other: &[f64]) -> Option<f64> {
    use veriregime_core::bootstrap::{means, standard_error, starts};
    let gaps: Vec<f64> = ours.iter().zip(other).map(|(ours, other)| ours - other).collect();
    standard_error(means(&starts(gaps.len()), &gaps)).map(|error| error * DAYS_OF_A_YEAR)
}

fn verb(row: &Row) -> &'static str {
    match row.standard_error {
        Some(error) if row.usd_per_year > SURE * error => "earns liquidity more than a static fee does, by",
        Some(error) if row.usd_per_year < -SURE * error => "earns liquidity less than a static fee does, by",
        _ => "earns liquidity what a static fee does, within the error:",
    }
}

fn thousands(row: &Row) -> String {
    let error = row.standard_error.map_or_else(String::new, |error| format!(" ± {:.0}", error / THOUSAND));
    format!("{:.0}{error}", row.usd_per_year / THOUSAND)
}
