//! Names of all figures, their units, and what each of them says.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

pub(super) const CYCLES: &str = "veriregime_cycles_total";
pub(super) const STAGE_SECONDS: &str = "veriregime_cycle_stage_seconds";
pub(super) const PROOF_SECONDS: &str = "veriregime_proof_seconds";
pub(super) const RETRIES: &str = "veriregime_retries_total";
pub(super) const TRANSACTIONS: &str = "veriregime_transactions_total";
pub(super) const FEES: &str = "veriregime_fees_paid_gwei_total";
pub(super) const BALANCE: &str = "veriregime_wallet_balance_gwei";
pub(super) const HEAD_LAG: &str = "veriregime_chain_head_lag_seconds";
pub(super) const CLOCK_SKEW: &str = "veriregime_clock_skew_seconds";
pub(super) const LAST_PERIOD: &str = "veriregime_last_landed_period";
pub(super) const SOURCE_USED: &str = "veriregime_source_used_total";
pub(super) const SOURCE_FAILED: &str = "veriregime_source_failures_total";
pub(super) const REVISED: &str = "veriregime_candles_revised_minutes_total";
pub(super) const CARRIED: &str = "veriregime_candles_carried_minutes";
pub(super) const OMITTED: &str = "veriregime_markets_omitted_total";
pub(super) const LONGEST_RUN: &str = "veriregime_candles_longest_carried_run_minutes";
pub(super) const LENT: &str = "veriregime_candles_lent_minutes";
pub(super) const DISAGREEMENTS: &str = "veriregime_source_disagreements_total";
pub(super) const BASIS: &str = "veriregime_cross_check_basis_pips";
pub(super) const WORST: &str = "veriregime_cross_check_worst_return_pips";
pub(super) const VOLATILITY: &str = "veriregime_cross_check_volatility_pips";
pub(super) const RPC_ERRORS: &str = "veriregime_rpc_errors_total";
pub(super) const READY: &str = "veriregime_ready";
pub(super) const REQUESTS: &str = "veriregime_api_requests_total";
pub(super) const ALERTS: &str = "veriregime_alerts_total";
pub(super) const MARKET_PROBABILITY: &str = "veriregime_market_probability_high";
pub(super) const MARKET_APPLIED: &str = "veriregime_market_applied_volatility";
pub(super) const MARKET_VOLATILITY: &str = "veriregime_market_volatility";
pub(super) const MARKET_RATIO: &str = "veriregime_market_borrow_collateral_ratio";
pub(super) const MARKET_FEE: &str = "veriregime_market_amm_fee";
pub(super) const MARKET_STATUS: &str = "veriregime_market_status";
pub(super) const MARKET_AGE: &str = "veriregime_market_age_seconds";
pub(super) const VAULT_BALANCE: &str = "veriregime_vault_balance_sats";
pub(super) const VAULT_NEED: &str = "veriregime_vault_need_sats";
pub(super) const VAULT_SOLD: &str = "veriregime_vault_sold_sats";
pub(super) const VAULT_BUDGET_LEFT: &str = "veriregime_vault_budget_left_sats";
pub(super) const VAULT_COVERED_UNTIL: &str = "veriregime_vault_covered_until_seconds";
pub(super) const VAULT_PAUSED: &str = "veriregime_vault_paused";
pub(super) const ELECTRICITY_LAST_MONTH: &str = "veriregime_electricity_last_month_eur_mwh";
pub(super) const ELECTRICITY_FORECAST: &str = "veriregime_electricity_forecast_eur_mwh";
pub(super) const BUILD: &str = "veriregime_build_info";
pub(super) const MODEL: &str = "veriregime_model_info";
pub(super) const PERIOD_SECONDS: &str = "veriregime_model_period_seconds";

/// Tells the recorder what each figure says.
pub(super) fn describe() {
    describe_counter!(CYCLES, "Cycles that ended, by outcome.");
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "From reaching a stage to leaving it, retries included.");
    describe_histogram!(PROOF_SECONDS, Unit::Seconds, "Time to prove one forecast, by way of verification.");
    describe_counter!(RETRIES, "Steps that failed and were tried again, by stage and error code.");
    describe_counter!(TRANSACTIONS, "Transactions that were signed, by purpose.");
    describe_counter!(FEES, "Gas times price of our mined transactions, in gwei.");
    describe_gauge!(BALANCE, "What the wallet holds, in gwei.");
    describe_gauge!(HEAD_LAG, Unit::Seconds, "Age of the newest block by our clock.");
    describe_gauge!(CLOCK_SKEW, Unit::Seconds, "The exchange's clock less ours.");
    describe_gauge!(LAST_PERIOD, "Number of the last period whose update this node saw on chain.");
    describe_counter!(SOURCE_USED, "Cycles that were fed by a source.");
    describe_counter!(SOURCE_FAILED, "Cycles that passed a source over, by error code.");
    describe_counter!(REVISED, "Minutes that an exchange changed after they had been fetched.");
    describe_counter!(OMITTED, "Cycles that went on without the market because its candles kept failing, by market.");
    describe_gauge!(CARRIED, "Minutes of the last window that nobody had and that were carried forward, by market.");
    describe_gauge!(LONGEST_RUN, "The longest stretch of them, in minutes.");
    describe_gauge!(LENT, "Minutes of the last window that its source did not have and another one did, by market.");
    describe_counter!(DISAGREEMENTS, "Cross-checks whose sources did not agree.");
    describe_gauge!(BASIS, "Median difference of the closes at the last cross-check, in hundredths of a bps.");
    describe_gauge!(WORST, "Largest difference of a minute's returns at the last cross-check, in hundredths of a bps.");
    describe_gauge!(
        VOLATILITY,
        "Difference of the realised volatilities at the last cross-check, in hundredths of a bps."
    );
    describe_counter!(RPC_ERRORS, "Failures of an RPC, by its number in the settings from 0 and error code.");
    describe_gauge!(READY, "1 where a check of /readyz passes, else 0.");
    describe_counter!(REQUESTS, "Requests to the API, by status.");
    describe_counter!(ALERTS, "Messages to the webhook, by whether they were delivered.");
    describe_gauge!(MARKET_PROBABILITY, "Forecast probability of High that the contract holds for a market, 0 to 1.");
    describe_gauge!(
        MARKET_APPLIED,
        "Volatility that a market's parameters follow: a standard deviation of one-minute returns."
    );
    describe_gauge!(MARKET_VOLATILITY, "Forecast standard deviation of one-minute returns that the contract holds.");
    describe_gauge!(MARKET_RATIO, "Collateral that a new borrow must show, as a share of the debt; 1.5 is 150 %.");
    describe_gauge!(MARKET_FEE, "Swap fee as a share; 0.003 is 0.3 %.");
    describe_gauge!(MARKET_STATUS, "1 for what a market's parameters are by the contract, 0 for what they are not.");
    describe_gauge!(MARKET_AGE, Unit::Seconds, "Time since a market's last update landed.");
    describe_gauge!(VAULT_BALANCE, "WBTC that a vault holds, in units of 1e-8.");
    describe_gauge!(VAULT_NEED, "WBTC that a vault's open days need by the newest forecast, in units of 1e-8.");
    describe_gauge!(VAULT_SOLD, "WBTC that a vault has sold since it exists, in units of 1e-8.");
    describe_gauge!(VAULT_BUDGET_LEFT, "WBTC that a vault may still sell in all, in units of 1e-8.");
    describe_gauge!(VAULT_COVERED_UNTIL, Unit::Seconds, "Unix time up to which a vault's electricity is covered.");
    describe_gauge!(VAULT_PAUSED, "1 while a vault's owner lets nothing be sold, else 0.");
    describe_gauge!(ELECTRICITY_LAST_MONTH, "Mean price of a country's electricity in the last 30 days, EUR/MWh.");
    describe_gauge!(ELECTRICITY_FORECAST, "Forecast mean price of the months that a vault covers, EUR/MWh.");
    describe_gauge!(BUILD, "Version of the program; always 1.");
    describe_gauge!(PERIOD_SECONDS, Unit::Seconds, "Length of a period of the model that runs.");
    describe_gauge!(MODEL, "The model that runs; always 1.");
}
