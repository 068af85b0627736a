/** What the node answers, as far as the page looks at it; `npm run api` writes all of it beside this file. Times end in `_ms` or `_s` and are UTC; volatilities are standard deviations of one-minute returns. */

export interface ErrorBody { code: string; message: string; hint?: string }

export interface Forecast { market: string; regime: string; probability_high: number; volatility: number; carried_minutes: number }

export interface PeriodView {
  period: number; start_utc: string; stage: string; started_ms: number; updated_ms: number; source: string | null;
  forecasts: Forecast[];
  electricity?: { months: number; last_month_eur_mwh: number; eur_mwh: number }[];
  strategy?: { as_of: string; apy: number; volatility: number; interval: number[] } | null;
  omitted: { market: string; code: string }[];
  prove_ms: number | null;
  landed: { transaction: string; block: number; gas_used: number } | null;
  evidence: string | null;
  missed: { stage: string; code: string } | null;
}

export interface RiskVector {
  borrow_collateral_ratio_bps: number; liquidation_collateral_ratio_bps: number; amm_fee_pips: number; borrow_cap_factor_bps: number;
}

export interface ParamsView extends RiskVector {
  market: { name: string; id: string }; status: string; period: number;
  probability_high_bps: number; volatility: number; applied_volatility: number;
  next: RiskVector & { effective_at_seconds: number; liquidation_reached_at_seconds: number };
}

export interface Check { name: string; level: string; figure: string; code: string | null; hint: string | null }
export interface Alert { code: string; text: string; since_ms: number; job: string | null }
export interface Recent { start_ms: number; volatility: number; probability_high: number; applied_volatility: number | null }
export interface OverviewMarket { name: string; params: ParamsView | null; params_error: string | null; age_s: number | null; recent: Recent[] }

export interface OverviewJob {
  name: string; kind: string | null; model_id: string | null; verification: string | null; chain_id: number; contract: string | null;
  period_seconds: number | null; offset_seconds: number | null;
  activity: {
    state: string; until_utc: string | null;
    failure: null | { code: string; message: string; hint: string; since_utc: string; tries: number };
  };
  next_period_ms: number | null; ready: boolean | null; checks: Check[]; last_cycle: PeriodView | null; markets: OverviewMarket[];
}

export interface Overview { now_ms: number; version: string; started_ms: number; jobs: OverviewJob[]; alerts: Alert[] }

type Column = (number | null)[];

export interface Series {
  job: string; market: string; period_seconds: number; horizon_seconds: number; threshold_volatility: number;
  period: number[]; start_ms: number[]; stage: string[];
  probability_high: Column; volatility: Column; regime: (string | null)[];
  realised_volatility: Column; persistence_volatility: Column; har_volatility: Column;
  borrow_collateral_ratio_bps: Column; liquidation_collateral_ratio_bps: Column; amm_fee_pips: Column; borrow_cap_factor_bps: Column;
  applied_volatility: Column; requested_volatility: Column; effective_at_s: Column;
}

export interface Candles { minutes: number; open_time_ms: number[]; open: number[]; high: number[]; low: number[]; close: number[]; volume: number[] }

export interface Score {
  days: number; periods: number;
  rows: { name: string; accuracy: number | null; brier: number | null; qlike: number | null }[];
  calibration: { from: number; to: number; count: number; mean_forecast: number; share_high: number }[];
}

export interface Shares { log_odds_high?: number; logit_high: number; log_volatility: number }

export interface Feature {
  name: string; unit: string; value: number | null; z: number; is_clipped: boolean; integer: number; contribution: Shares | null;
}

export interface Moved {
  before: RiskVector | null; after: RiskVector; effective_at_s: number;
  forecast_volatility: number; requested_volatility: number; applied_volatility: number; bound: string[]; because: string;
}

export interface ExplainedMarket {
  market: string; is_omitted?: boolean; features: Feature[]; outputs: { name: string; integer: string; value: number; unit: string }[];
  neutral?: Shares | null; parameters: Moved | null;
}

export interface NetworkLayer { weights: (string | number)[][]; biases: string[]; activation: string; shift: number }
export interface Network { input_scale_log2: number; output_scale_log2?: number; feature_bound?: number; layers: NetworkLayer[]; offsets?: string[][] }

export interface Proof {
  way: string; bytes: string; sha256: string; public_inputs: string[]; verifier: string | null; call_data: string;
}

export interface Transaction {
  hash: string; block: number; gas_used: number; from: string | null; nonce: number | null; max_fee_per_gas_wei: string | null;
  effective_gas_price_wei: string | null; paid_wei: string | null;
}

export interface Explained {
  period: PeriodView; start_ms: number; end_ms: number; stages: { stage: string; at_ms: number }[]; markets: ExplainedMarket[];
  network: Network | null; proof: Proof | null; attestations: { signer: string; signature: string }[]; attestation_digest: string | null;
  transaction: Transaction | null; evidence: string | null; is_pruned: boolean;
}

export interface ModelCard {
  model_id: string; manifest_sha256: string; card_markdown: string | null; verification_markdown: string | null; metrics: unknown;
  reliability: { forecast: number; observed: number; count: number }[];
  drift: { feature: string; mean_z: number; std_z: number; share_clipped: number; periods: number }[];
  importance: { feature: string; mean_abs_logit: number; mean_abs_log_volatility: number }[];
  versions: {
    model_id: string; manifest_sha256: string; first_period: number; last_period: number; first_start_ms: number; last_start_ms: number;
    is_current: boolean;
  }[];
}

export interface ModelView {
  model_id: string; manifest_sha256: string; markets: { name: string; id: string }[]; features: string[];
  input_scale_log2: number; output_scale_log2: number; lookback_minutes: number; period_seconds: number; horizon_minutes: number;
  threshold_volatility?: number; market_thresholds?: number[]; instances: number; verification: string; proof_bytes: number; verifier_code_hash: string;
}

export interface SentTransaction {
  period: number; start_ms: number; nonce: number; hash: string; wallet: string; purpose: string; signed_ms: number;
  max_fee_per_gas_wei: string; priority_fee_wei: string; landed: null | { block: number; gas_used: number }; is_replaced: boolean;
}

export interface Operations {
  transactions: SentTransaction[];
  endpoints: { name: string; kind: string; state: string; latency_ms: number | null; head: number | null; errors: number }[];
  sources: { name: string; state: string; requests: number; errors: number; latency_ms: number | null; disagreement_bps: number | null }[];
  wallet: null | { address: string; balance_wei: string; updates_left: number | null };
  heat: { period: number; start_ms: number; stage: string; seconds_after_start: number | null; code: string | null }[];
}

export interface LogEntry { seq: number; time_ms: number; level: string; target: string; message: string; fields: unknown }

export interface Knot extends RiskVector { volatility_e9: number }

export interface Policy {
  knots: Knot[]; margin_bps: number; dwell_periods: number; max_rise_bps_per_period: number; max_fall_bps_per_period: number;
  loosen_delay_seconds: number; liquidation_rise_bps_per_day: number; grace_after_bps: number; stale_after_bps: number;
}

export interface PolicyView { policy: Policy; bounds: Record<string, unknown>; owner: string }

export interface LabResult {
  start_ms: number[]; forecast_volatility: number[]; applied_volatility: number[]; borrow_collateral_ratio_bps: number[];
  liquidation_collateral_ratio_bps: number[]; amm_fee_pips: number[]; borrow_cap_factor_bps: number[];
  liquidity: null | {
    usd_per_year_per_100m: number; static_usd_per_year_per_100m: number; mean_fee_pips: number; days: number; theta: number; epsilon: number;
  };
  break_even_tvl_usd: number | null; policy_toml: string; set_policy_calldata: string;
}

export interface Strategy {
  kind: string; pool: string; error: ErrorBody | null; source_error: string | null;
  prediction: null | {
    apy: number; volatility: number; interval: number[]; coverage: number; as_of: string; age_days: number; model_id: string;
    risk: null | { drawdown_trailing: number; drawdown_week: number; value_at_risk_week: number }; note?: string;
    proof?: { job: string; period: number; verification: string };
  };
}

export interface Yields { collected_utc: string; horizon_days: number; max_age_days: number; strategies: Record<string, Strategy> }

export interface Allocation {
  as_of: string; capital_usd: number; objective: string; gate_days: number; cash: number; expected_gain_usd: number; cost_usd: number;
  expected_apy: number[];
  strategies: Record<string, { apy: number; interval: number[]; volatility: number; model_id: string; current: number; target: number; weight: number }>;
  moves: { from: string; to: string; usd: number; gain_usd: number; cost_usd: number; is_made: boolean; why: string }[];
}

export interface Periods { periods: PeriodView[]; next_before: number | null }
