/** What the node answers, by its own document: names of the page for schemas of `openapi.d.ts`, which `make api` makes of it. Times end in `_ms` or `_s` and are UTC; volatilities are standard deviations of one-minute returns. */

import type { components } from "./openapi";

type Schemas = components["schemas"];

export type ErrorBody = Schemas["ErrorBody"];
export type Forecast = Schemas["ForecastView"];
export type PeriodView = Schemas["PeriodView"];
export type Periods = Schemas["PeriodsView"];
export type RiskVector = Schemas["VectorView"];
export type ParamsView = Schemas["ParamsView"];
export type Check = Schemas["OverviewCheck"];
export type Recent = Schemas["RecentView"];
export type OverviewMarket = Schemas["OverviewMarket"];
export type OverviewJob = Schemas["OverviewJob"];
export type Overview = Schemas["OverviewView"];
export type Series = Schemas["SeriesView"];
export type Candles = Schemas["CandlesView"];
export type Score = Schemas["ScoreView"];
export type Shares = Schemas["SharesView"];
export type Feature = Schemas["ExplainedFeature"];
export type Moved = Schemas["MovedView"];
export type ExplainedMarket = Schemas["ExplainedMarket"];
export type NetworkLayer = Schemas["LayerView"];
export type Network = Schemas["NetworkView"];
export type Proof = Schemas["ProofView"];
export type Transaction = Schemas["TransactionView"];
export type Explained = Schemas["ExplainedView"];
export type ModelCard = Schemas["CardView"];
export type ModelView = Schemas["ModelView"];
export type SentTransaction = Schemas["SentTransactionView"];
export type Operations = Schemas["OperationsView"];
export type LogEntry = Schemas["LogsView"]["entries"][number];
export type Knot = Schemas["KnotView"];
export type Policy = Schemas["PolicyView"];
export type PolicyView = Schemas["MarketPolicyView"];
export type LabRequest = Schemas["LabRequest"];
export type LabResult = Schemas["LabView"];
export type Strategy = Schemas["StrategyView"];
export type Yields = Schemas["YieldsView"];
export type Allocation = Schemas["AllocationView"];
