//! A miner's treasury under a rule: what is left after years of bills. Pure.

use serde::Serialize;

use super::features::MONTH_DAYS;
use super::need::dollars_a_day;

/// Hashes for a difficulty of one, and seconds between blocks that it aims at.
const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0;
const BLOCK_SECONDS: f64 = 600.0;
const BLOCKS_A_DAY: f64 = 86_400.0 / BLOCK_SECONDS;
/// First days of the rewards for a block (days since 1970), BTC.
const REWARDS: [(i32, f64); 5] = [(0, 50.0), (15_672, 25.0), (16_991, 12.5), (18_393, 6.25), (19_833, 3.125)];

/// What a block paid on a day.
pub fn block_reward(day: i32) -> f64 {
    REWARDS.iter().rev().find(|(from, _)| *from <= day).map_or(0.0, |(_, reward)| *reward)
}

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Machine {
    /// Its speed, TH/s.
    pub hash_rate_ths: f64,
    /// What it draws, W.
    pub power_w: f64,
}

/// What a day was like.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MarketDay {
    /// The day, counted from 1970-01-01.
    pub day: i32,
    /// Price of electricity; below zero the miner is paid.
    pub eur_mwh: f64,
    /// Dollars for a euro.
    pub usd_per_eur: f64,
    /// Dollars for a bitcoin.
    pub btc_usd: f64,
    /// Mining difficulty.
    pub difficulty: f64,
}

impl MarketDay {
    /// BTC that a machine mines on this day.
    pub fn mined_btc(&self, machine: &Machine) -> f64 {
        let network_ths = self.difficulty * HASHES_PER_DIFFICULTY / BLOCK_SECONDS / 1e12;
        BLOCKS_A_DAY * block_reward(self.day) * machine.hash_rate_ths / network_ths
    }

    /// Dollars of its electricity.
    pub fn cost_usd(&self, machine: &Machine) -> f64 {
        dollars_a_day(machine.power_w, self.eur_mwh, self.usd_per_eur)
    }
}

/// How BTC become dollars. Bills come every 30 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// All BTC are sold at once.
    SellEverything,
    /// BTC are sold when a bill is due, as much as it takes.
    PayAsDue,
    /// Once a month so many dollars are in reserve as the next months are thought to cost.
    Reserve,
}

/// What a rule came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Outcome {
    /// Bills.
    pub months: usize,
    /// BTC at the end, with the dollars that are left at the last day's price.
    pub btc_left: f64,
    /// Months whose bill the dollars at hand did not pay, so that BTC were sold in a hurry.
    pub months_short: usize,
    /// Months whose bill could not be paid at all.
    pub months_unpaid: usize,
    /// Mean dollars that lay idle after each bill.
    pub idle_usd: f64,
}

/// Lives through `days` with `start_btc`. `needed` says at a position how many dollars the coming months will cost, for
/// [`Rule::Reserve`]; where it does not know, nothing is put aside.
pub fn lived(
    days: &[MarketDay],
    machine: &Machine,
    start_btc: f64,
    rule: Rule,
    needed: impl Fn(usize) -> Option<f64>,
) -> Outcome {
    let (mut btc, mut dollars, mut idle) = (start_btc, 0.0, 0.0);
    let mut outcome = Outcome::default();
    let mut at = 0;
    while at + MONTH_DAYS < days.len() {
        let wanted = match rule {
            Rule::SellEverything => f64::INFINITY,
            Rule::PayAsDue => 0.0,
            Rule::Reserve => needed(at).unwrap_or(0.0),
        };
        let price = days[at].btc_usd;
        let sold = ((wanted - dollars) / price).clamp(0.0, btc);
        (btc, dollars) = (btc - sold, dollars + sold * price);
        let month = &days[at + 1..=at + MONTH_DAYS];
        btc += month.iter().map(|day| day.mined_btc(machine)).sum::<f64>();
        let bill: f64 = month.iter().map(|day| day.cost_usd(machine)).sum();
        at += MONTH_DAYS;
        let price = days[at].btc_usd;
        if bill > dollars {
            // Whoever pays as due has nothing at hand by intention.
            outcome.months_short += usize::from(rule == Rule::Reserve);
            let sold = ((bill - dollars) / price).min(btc);
            (btc, dollars) = (btc - sold, dollars + sold * price);
        }
        let is_paid = dollars - bill >= -1e-9 * bill.abs();
        outcome.months_unpaid += usize::from(!is_paid);
        dollars = (dollars - bill).max(0.0);
        idle += dollars;
        outcome.months += 1;
    }
    outcome.btc_left = btc + dollars / days.get(at).map_or(f64::INFINITY, |day| day.btc_usd);
    outcome.idle_usd = idle / outcome.months.max(1) as f64;
    outcome
}

/// Of all days, the share on which BTC cost more than on average over the bills of the next so many months: selling then beat
/// paying as due. This is the price of bitcoin, not a forecast of electricity.
pub fn share_that_sold_better(days: &[MarketDay], months: u32) -> Option<f64> {
    let (mut better, mut count) = (0_usize, 0_usize);
    let bills = || (1..=months as usize).map(|month| month * MONTH_DAYS);
    for at in 0..days.len().saturating_sub(months as usize * MONTH_DAYS) {
        // A dollar at each bill costs the inverse of that day's price.
        let later: f64 = bills().map(|ahead| 1.0 / days[at + ahead].btc_usd).sum();
        better += usize::from(f64::from(months) / days[at].btc_usd < later);
        count += 1;
    }
    (count > 0).then(|| better as f64 / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Machine = Machine { hash_rate_ths: 100.0, power_w: 1000.0 };

    fn days(count: i32, eur_mwh: impl Fn(i32) -> f64, btc_usd: impl Fn(i32) -> f64) -> Vec<MarketDay> {
        let day =
            |day| MarketDay { day, eur_mwh: eur_mwh(day), usd_per_eur: 1.0, btc_usd: btc_usd(day), difficulty: 1e30 };
        (0..count).map(day).collect()
    }

    #[test]
    fn a_machine_mines_its_share_of_the_blocks() {
        let day = MarketDay { day: 19_900, eur_mwh: 50.0, usd_per_eur: 1.1, btc_usd: 6e4, difficulty: 8.8e13 };
        // 630 EH/s in all: a hundred TH/s find one block in 6.3 million.
        assert!((day.mined_btc(&MACHINE) - 144.0 * 3.125 * 100.0 / 6.2995e8).abs() < 1e-8);
        assert!((day.cost_usd(&MACHINE) - 1.32).abs() < 1e-12);
        let rewards = [15_671, 15_672, 19_832, 19_833].map(|day| block_reward(day).to_bits());
        assert_eq!(rewards, [50.0, 25.0, 6.25, 3.125].map(f64::to_bits));
    }

    #[test]
    fn at_flat_prices_all_rules_leave_the_same() {
        let days = days(361, |_| 100.0, |_| 50_000.0);
        let bills = 12.0 * 30.0 * 2.4 / 50_000.0;
        for rule in [Rule::SellEverything, Rule::PayAsDue, Rule::Reserve] {
            let outcome = lived(&days, &MACHINE, 1.0, rule, |_| Some(144.0));
            assert!((outcome.btc_left - (1.0 - bills)).abs() < 1e-9, "{rule:?}: {outcome:?}");
            assert_eq!((outcome.months, outcome.months_short, outcome.months_unpaid), (12, 0, 0), "{rule:?}");
        }
    }

    #[test]
    fn a_reserve_that_is_too_small_is_short_and_a_treasury_that_is_too_small_does_not_pay() {
        let days = days(121, |_| 100.0, |_| 50_000.0);
        assert_eq!(lived(&days, &MACHINE, 1.0, Rule::Reserve, |_| Some(71.0)).months_short, 4);
        assert_eq!(lived(&days, &MACHINE, 1.0, Rule::Reserve, |_| None).months_short, 4);
        let poor = lived(&days, &MACHINE, 150.0 / 50_000.0, Rule::PayAsDue, |_| None);
        assert_eq!((poor.months_unpaid, poor.btc_left), (2, 0.0));
    }

    #[test]
    fn who_sells_before_bitcoin_falls_keeps_more_and_that_is_no_forecast() {
        let falling = days(361, |_| 100.0, |day| 50_000.0 - 100.0 * f64::from(day));
        let left = |rule| lived(&falling, &MACHINE, 1.0, rule, |_| Some(144.0)).btc_left;
        assert!(left(Rule::SellEverything) > left(Rule::Reserve) && left(Rule::Reserve) > left(Rule::PayAsDue));
        assert_eq!(share_that_sold_better(&falling, 2), Some(1.0));
        let rising = days(361, |_| 100.0, |day| 50_000.0 + 100.0 * f64::from(day));
        assert_eq!(share_that_sold_better(&rising, 2), Some(0.0));
        assert_eq!(share_that_sold_better(&rising[..50], 2), None);
    }
}
