/** Generated from the node's OpenAPI document by `npm run api`; do not edit. */

export interface paths {
    "/livez": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process runs. Whether it is any good is `/readyz`. */
        get: operations["livez"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Figures of cycles, proofs, fees, sources and RPCs in Prometheus' text format. */
        get: operations["metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This document. */
        get: operations["openapi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/predict": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Forecasts of strategies, fractions and not percent, each with its 90 % interval, the last day that was known, the model, and the
         *     update on chain that says the same, where there is one. The
         *     body is read as JSON whatever its content type says.
         */
        post: operations["predict"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Whether the node does its work: that each job works, and its chain, contract, wallet, exchange and files. With `job`, of that
         *     one. Looked at every `api.check_seconds`, never for a request.
         */
        get: operations["readyz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/allocation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Weights of strategies by their forecasts, and the moves towards them that pay for their gas and slippage. Nothing is moved. */
        get: operations["allocation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/attest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Signs the inputs and outputs of an update if this node's own candles and model give the same, integer by integer. Of each
         *     market it signs one row for each period and model, and the same one as often as it is asked, with others or without.
         */
        post: operations["attest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/call": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Asks a contract of the job at the newest block, as `eth_call` does: nothing is sent. The same question is passed on once in
         *     three seconds, and few are passed on at a time.
         */
        post: operations["call"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/candles": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A market's candles that this node keeps, about as many days as its models look back: of each minute those of the source that comes
         *     first in the settings and has it. At most 3,000 bars, the newest of those that are asked for.
         */
        get: operations["candles"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What happens, as server-sent events: `hello` (`now_ms`, `version`, `started_ms`) at once, `period` (`job`, `period`, `stage`)
         *     for each stage that is stored, `checks` (`job`, `ready`) after each round of checks, `alerts` when others hold than before; a
         *     comment after five seconds of silence.
         */
        get: operations["events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/evidence/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Everything that a stranger needs to compute one update again and to verify it: a gzip file of the JSON whose SHA-256 is
         *     the digest. `/v1/periods/{period}` names it, `verify-bundle` checks it.
         */
        get: operations["evidence"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The jobs that this node runs, in the order of its settings. */
        get: operations["jobs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/jobs/{job}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One job. */
        get: operations["job"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/lab": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What another policy would have done with a market's stored forecasts, by the contract's rules: dwell, margin, limits, delay,
         *     ramp. It begins as a market without updates does, at the tightest vector. At most the newest 10,000 periods.
         */
        post: operations["lab"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/logs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The newest lines of the node's log, of which it keeps 500. */
        get: operations["logs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/model": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The model that a job of this node runs, with the digest of everything that it consists of. */
        get: operations["model"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/model/card": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a job's model is worth by its bundle, how its features have drifted, and what came before it. */
        get: operations["card"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How a job works: its transactions, RPCs and sources, the wallet that pays, and how its periods went. */
        get: operations["operations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The node at a glance: what its jobs do, what the contracts say of their markets, what was forecast lately, every check and every
         *     alert that holds. The chain is asked for a market's parameters at most once in five seconds.
         */
        get: operations["overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/params/{market}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What the contract says of a market now, and what its last update leads to. At most five seconds old. */
        get: operations["params"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/periods": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The cycles that this node has run of a job or has noted as missed, newest first. */
        get: operations["periods"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/periods/{period}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** One period's cycle: features, outputs, proof and transaction. */
        get: operations["period"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/periods/{period}/explained": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A period's update, explained: when each stage was reached, every feature with what it contributes to the forecast, the network, the
         *     proof with the call that verifies it, attestations, transaction, and which rules of the policy bound. The contributions are
         *     gradients integrated from the row in which every feature is at its mean; they are exact, and add up.
         */
        get: operations["explained"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/policy/{market}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What a market goes by, as the chain has it; at most ten seconds old. */
        get: operations["policy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/score": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How good the forecasts of a market were whose horizons are over, whether they landed or not, beside forecasters without a network
         *     in the very same periods; by the label of training, on this node's candles. Of jobs whose kind is `regime` in `/v1/overview`.
         */
        get: operations["score"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/series": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A market's forecasts, what followed them, and what they led to on chain, in columns: at most 10,000 periods, the newest of those
         *     that are asked for. Of jobs whose kind is `regime` in `/v1/overview`.
         */
        get: operations["series"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/yields": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is said of all strategies of this node: the last that could be said of each, with its age. */
        get: operations["yields"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/yields/{strategy}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** What is said of one strategy: the last that could be said, with its age. */
        get: operations["strategy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What a job is doing. */
        ActivityView: {
            failure?: components["schemas"]["FailureView"] | null;
            /**
             * @description `starting`, `waiting` for its next cycle, `running` one, or `failed`.
             * @example waiting
             */
            state: string;
            /** @description When its next cycle begins, while it waits. */
            until_utc?: string | null;
        };
        /** @description Something that does not hold as it should. */
        AlertView: {
            /**
             * @description Stable code.
             * @example VR-HEALTH-001
             */
            code: string;
            /** @description Name of the job, where it is about one. */
            job?: string | null;
            /**
             * Format: int64
             * @description When it was first seen, Unix milliseconds by the machine's clock.
             */
            since_ms: number;
            /** @description What is wrong, in a sentence. */
            text: string;
        };
        /** @description That the process answers. */
        Alive: {
            /** @description Always true. */
            alive: boolean;
            /** @description Version of the program. */
            version: string;
        };
        /** @description What is to be done. Rates and shares are fractions, not percent. */
        AllocationView: {
            /**
             * @description The last day that was known of any strategy.
             * @example 2024-08-05
             */
            as_of: string;
            /** Format: double */
            capital_usd: number;
            /**
             * Format: double
             * @description Share that is cash afterwards.
             */
            cash: number;
            /**
             * Format: double
             * @description Gas and slippage of the made moves.
             */
            cost_usd: number;
            /** @description Expected rate of everything as it lies now, and after the moves. */
            expected_apy: number[];
            /**
             * Format: double
             * @description What the made moves are expected to earn more over `gate_days`, before costs.
             */
            expected_gain_usd: number;
            /**
             * Format: double
             * @description Days in which a move must pay for itself.
             */
            gate_days: number;
            /** @description Moves, those that are made first. */
            moves: components["schemas"]["MoveView"][];
            objective: string;
            /** @description By name. */
            strategies: {
                [key: string]: components["schemas"]["ShareView"];
            };
        };
        /** @description All that the contract will be told, but for the proof. */
        AttestBody: {
            /**
             * Format: int32
             * @description Version of the contract's attestor set.
             */
            attestor_set_version: number;
            /**
             * Format: int64
             * @description The chain's id.
             */
            chain_id: number;
            /** @description The proof's public inputs, 0x-hex: features of all markets, then outputs of all markets. Empty where `prices` are stated. */
            instances: string[];
            /** @description The model, as the contract calls it. */
            model_id: string;
            /**
             * Format: int32
             * @description Markets that the update leaves as they are, bit i being the model's i-th; 0 where it serves all.
             */
            omitted_markets?: number;
            /** @description The contract's address there. */
            oracle: string;
            /**
             * Format: int64
             * @description Number of the period: Unix seconds divided by the `period_seconds` of its model.
             */
            period: number;
            prices?: components["schemas"]["StatedBody"] | null;
            /** @description The registry of the contract's models and attestors, 0x-hex. */
            registry: string;
        };
        /** @description An attestor's signature. */
        AttestationView: {
            /** @description 0x-hex. */
            signature: string;
            /** @description Who signed, 0x-hex. */
            signer: string;
        };
        /** @description An EIP-712 signature of an attestor. */
        Attested: {
            /** @description 65 bytes, 0x-hex. */
            signature: string;
            /** @description Who signed. */
            signer: string;
        };
        /** @description Limits within which the owner may choose. They never change. */
        BoundsView: {
            /** Format: int32 */
            max_amm_fee_pips: number;
            /** Format: int32 */
            max_borrow_collateral_ratio_bps: number;
            /** Format: int32 */
            max_liquidation_rise_bps_per_day: number;
            /** Format: int32 */
            min_amm_fee_pips: number;
            /** Format: int32 */
            min_borrow_cap_factor_bps: number;
            /** Format: int32 */
            min_borrow_collateral_ratio_bps: number;
            /** Format: int32 */
            min_liquidation_collateral_ratio_bps: number;
        };
        /** @description Forecasts whose probability of High lay in a range. */
        CalibrationBin: {
            /** @description How many there were. */
            count: number;
            /** Format: double */
            from: number;
            /**
             * Format: double
             * @description Their mean.
             */
            mean_forecast: number;
            /**
             * Format: double
             * @description Share of them that High followed.
             */
            share_high: number;
            /** Format: double */
            to: number;
        };
        /** @description What the contract answers. */
        CallAnswer: {
            /** @description The bytes that it gives back, 0x-hex. */
            result: string;
        };
        /** @description A call without a transaction. */
        CallBody: {
            /** @description What it is asked, 0x-hex; 64 kB at most. */
            data: string;
            /** @description Name of a job of `/v1/jobs`; the first one if absent. */
            job?: string | null;
            /** @description The job's contract, its registry or its verifier, 0x-hex. */
            to: string;
        };
        /** @description Bars in columns, oldest first. Minutes that are absent make no bar, and the newest bar may not be over yet. */
        CandlesView: {
            close: number[];
            high: number[];
            low: number[];
            /**
             * Format: int32
             * @description Length of a bar.
             */
            minutes: number;
            /** @description Prices in quote units. */
            open: number[];
            /** @description When they begin, Unix milliseconds. */
            open_time_ms: number[];
            /** @description Traded amounts in base units. */
            volume: number[];
        };
        /** @description What a model is worth. */
        CardView: {
            /** @description `MODEL_CARD.md` of the bundle. */
            card_markdown?: string | null;
            /** @description Of the newest 180 periods, all markets together. */
            drift: components["schemas"]["DriftView"][];
            /** @description Likewise; empty of a network of another shape than one layer of squares. */
            importance: components["schemas"]["ImportanceView"][];
            manifest_sha256: string;
            /** @description As the bundle's manifest has them. */
            metrics: Record<string, never>;
            model_id: string;
            /** @description Empty where the bundle has no such figures. */
            reliability: components["schemas"]["ReliabilityView"][];
            /** @description `VERIFICATION.md` of the bundle. */
            verification_markdown?: string | null;
            versions: components["schemas"]["VersionView"][];
        };
        /** @description One check. */
        CheckView: {
            /**
             * Format: int64
             * @description EIP-155 id of its chain.
             */
            chain_id: number;
            /** @description Stable code of what is wrong. */
            code?: string | null;
            /** @description What was seen, with its unit. */
            figure: string;
            /** @description What to do about it. */
            hint?: string | null;
            /** @description Name of the job that was looked at. */
            job: string;
            /**
             * @description `ok`, `warn` (which is no failure) or `fail`.
             * @example ok
             */
            level: string;
            /**
             * @description Stable name.
             * @example chain head
             */
            name: string;
        };
        /** @description How a feature has been: in training its mean was 0 and its deviation 1. */
        DriftView: {
            feature: string;
            /** Format: double */
            mean_z: number;
            periods: number;
            /**
             * Format: double
             * @description Share of the rows in which it was cut off.
             */
            share_clipped: number;
            /** Format: double */
            std_z: number;
        };
        /** @description One horizon of a country's electricity. */
        ElectricityView: {
            /**
             * Format: double
             * @description Forecast mean price of these months, EUR/MWh.
             */
            eur_mwh: number;
            /**
             * Format: double
             * @description Mean price of the last 30 days, EUR/MWh.
             */
            last_month_eur_mwh: number;
            /**
             * Format: int32
             * @description Months ahead.
             */
            months: number;
        };
        /** @description An RPC. */
        EndpointView: {
            /**
             * Format: int64
             * @description Requests without an answer since the start of the node.
             */
            errors: number;
            /**
             * Format: int64
             * @description Its newest block when it was last looked at.
             */
            head?: number | null;
            /** @description `read`: every RPC is read from in its turn, and sent to. */
            kind: string;
            /**
             * Format: int64
             * @description Of its last answer.
             */
            latency_ms?: number | null;
            /** @description Scheme, host and port. */
            name: string;
            /** Format: int64 */
            requests: number;
            /** @description `good`, `failing`, `lagging` or `foreign`. */
            state: string;
        };
        /** @description The body of every answer that is none. */
        ErrorBody: {
            /**
             * @description Stable code.
             * @example VR-API-003
             */
            code: string;
            /** @description What to do about it. */
            hint: string;
            /** @description What is wrong, in words. */
            message: string;
        };
        /** @description A feature of a market. */
        ExplainedFeature: {
            contribution?: components["schemas"]["SharesView"] | null;
            /**
             * Format: int32
             * @description The network's input.
             */
            integer: number;
            /** @description Whether it lay outside of what the network takes. */
            is_clipped: boolean;
            /**
             * @description Name and parameters.
             * @example log_rms_return minutes=30
             */
            name: string;
            /**
             * @description What `value` is counted in.
             * @example ln of a one-minute return
             */
            unit: string;
            /**
             * Format: double
             * @description As it was measured, to the grid's width; null where it was clipped.
             */
            value?: number | null;
            /**
             * Format: double
             * @description In standard deviations of the training data from their mean, as the network was fed.
             */
            z: number;
        };
        /** @description A market in a period. */
        ExplainedMarket: {
            /** @description In the order of the network's inputs: those from candles, then the calendar's. */
            features: components["schemas"]["ExplainedFeature"][];
            /** @description Whether the update leaves it as it was, because its candles failed: its row is the neutral one, and its outputs mean nothing. */
            is_omitted: boolean;
            /**
             * @description Its name.
             * @example BTC-USD
             */
            market: string;
            neutral?: components["schemas"]["SharesView"] | null;
            /** @description In the order of the network's outputs. */
            outputs: components["schemas"]["OutputView"][];
            parameters?: components["schemas"]["MovedView"] | null;
        };
        /** @description A period with everything that its update is made of. */
        ExplainedView: {
            /** @description What they signed, by EIP-712, 0x-hex. */
            attestation_digest?: string | null;
            /** @description Those that the contract was given. */
            attestations: components["schemas"]["AttestationView"][];
            /**
             * Format: int64
             * @description First millisecond after it.
             */
            end_ms: number;
            /** @description SHA-256 of the update's evidence, for `/v1/evidence/{digest}`. */
            evidence?: string | null;
            /** @description Whether the evidence was deleted, because of its age. */
            is_pruned: boolean;
            /** @description The model's markets, in its order; none before the forecast, and of a job of another kind. */
            markets: components["schemas"]["ExplainedMarket"][];
            network?: components["schemas"]["NetworkView"] | null;
            period: components["schemas"]["PeriodView"];
            proof?: components["schemas"]["ProofView"] | null;
            /** @description The stages that the cycle has reached, in order. Of cycles of earlier versions only the first and the last. */
            stages: components["schemas"]["StageView"][];
            /**
             * Format: int64
             * @description When the period begins, Unix milliseconds.
             */
            start_ms: number;
            transaction?: components["schemas"]["TransactionView"] | null;
        };
        /** @description Why a job does not work. */
        FailureView: {
            /**
             * @description Stable code.
             * @example VR-PROVE-003
             */
            code: string;
            /** @description What to do about it. */
            hint: string;
            /** @description What is wrong, in words. */
            message: string;
            /** @description Since when it has not worked. */
            since_utc: string;
            /**
             * Format: int32
             * @description How often it was tried since then.
             */
            tries: number;
        };
        /** @description One market's forecast. */
        ForecastView: {
            /** @description Minutes of the window that were carried forward. */
            carried_minutes: number;
            /** @description Name of the market. */
            market: string;
            /**
             * Format: double
             * @description Probability of High, 0 to 1.
             */
            probability_high: number;
            /** @description `Low` or `High`. */
            regime: string;
            /**
             * Format: double
             * @description Standard deviation of one-minute returns.
             */
            volatility: number;
        };
        /** @description How a period went. */
        HeatView: {
            /** @description Code of what it was missed for, or what keeps it. */
            code?: string | null;
            /** Format: int64 */
            period: number;
            /**
             * Format: int64
             * @description From the period's start to its last stage; null while it is not over.
             */
            seconds_after_start?: number | null;
            stage: string;
            /** Format: int64 */
            start_ms: number;
        };
        /** @description How much a feature has had to do with the forecasts. */
        ImportanceView: {
            feature: string;
            /**
             * Format: double
             * @description To the logarithm of the volatility.
             */
            mean_abs_log_volatility: number;
            /**
             * Format: double
             * @description Mean absolute contribution to the logarithm of the odds of High.
             */
            mean_abs_logit: number;
        };
        /** @description A job of this node. */
        JobView: {
            activity: components["schemas"]["ActivityView"];
            /**
             * Format: int64
             * @description EIP-155 id of its chain.
             */
            chain_id: number;
            /** @description The contract that takes its updates, 0x-hex. */
            contract?: string | null;
            last_cycle?: components["schemas"]["PeriodView"] | null;
            /** @description SHA-256 of the model's manifest, hex. */
            manifest_sha256?: string | null;
            /** @description Name of its model. */
            model_id?: string | null;
            /**
             * @description Name in the settings.
             * @example btc-regime-4h-v1
             */
            name: string;
            /** @description Whether it was opened: it does not run before, and is tried again and again. */
            opened: boolean;
            /** @description Whether it works and no check of it fails; null before the first checks. */
            ready?: boolean | null;
        };
        /** @description The jobs of this node. */
        JobsView: {
            jobs: components["schemas"]["JobView"][];
        };
        /** @description The parameters at a volatility. */
        KnotView: {
            /** Format: int32 */
            amm_fee_pips: number;
            /** Format: int32 */
            borrow_cap_factor_bps: number;
            /** Format: int32 */
            borrow_collateral_ratio_bps: number;
            /** Format: int32 */
            liquidation_collateral_ratio_bps: number;
            /**
             * Format: int32
             * @description Standard deviation of one-minute returns, times 1e9.
             * @example 600000
             */
            volatility_e9: number;
        };
        /** @description Which policy, on what. */
        LabRequest: {
            /**
             * Format: int64
             * @description First millisecond of which periods may begin; the oldest stored if absent.
             */
            from_ms?: number | null;
            /** @description Name of a job of `/v1/jobs`. */
            job: string;
            /**
             * @description One of its model's markets.
             * @example BTC-USD
             */
            market: string;
            policy: components["schemas"]["PolicyView"];
            /**
             * Format: int64
             * @description First millisecond after them.
             */
            to_ms?: number | null;
        };
        /** @description What the policy would have done: one entry for each period with a forecast, oldest first. */
        LabView: {
            amm_fee_pips: number[];
            /** @description What the parameters follow. */
            applied_volatility: number[];
            borrow_cap_factor_bps: number[];
            /** @description What readers see once looser values hold. */
            borrow_collateral_ratio_bps: number[];
            /** Format: double */
            break_even_tvl_usd?: number | null;
            /** @description Forecast standard deviation of one-minute returns. */
            forecast_volatility: number[];
            liquidation_collateral_ratio_bps: number[];
            liquidity?: components["schemas"]["LiquidityView"] | null;
            /** @description For `veriregime-agent deploy --policy`. */
            policy_toml: string;
            /** @description `RiskOracle.setPolicy(market, policy)`, 0x-hex: for the market's owner, through its timelock. */
            set_policy_calldata: string;
            start_ms: number[];
        };
        /** @description An update on chain. */
        LandedView: {
            /**
             * Format: int64
             * @description Block that holds it.
             */
            block: number;
            /**
             * Format: int64
             * @description Gas that it used.
             */
            gas_used: number;
            /** @description Hash of the transaction, 0x-hex. */
            transaction: string;
        };
        /** @description A layer of a network. */
        LayerView: {
            /**
             * @description What follows each sum: `square`, `relu` or `none`.
             * @example square
             */
            activation: string;
            /** @description By unit; decimal. */
            biases: string[];
            /**
             * Format: int32
             * @description How far each result is then shifted left.
             */
            shift: number;
            /** @description By unit, and of each by input; decimal. */
            weights: string[][];
        };
        /** @description The level that a strategy's forecast begins with. */
        LevelBody: {
            /**
             * Format: int32
             * @description Last day of the data, counted from 1970-01-01.
             */
            day: number;
            /**
             * Format: int64
             * @description What the size of an error is multiplied with for half of the interval; times 1e9.
             */
            factor_e9: number;
            /**
             * Format: int64
             * @description sign · ln(1 + |r|) of the mean rate r of the 7 days up to it, in percent a year; times 1e9.
             */
            level_e9: number;
        };
        /** @description A line of the log. */
        LineView: {
            /** @description Texts by their names. Of addresses only scheme, host and port. */
            fields: Record<string, never>;
            /**
             * @description `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
             * @example INFO
             */
            level: string;
            message: string;
            /**
             * Format: int64
             * @description Number of the line since the node was started, from 1.
             */
            seq: number;
            /** @description The part of the program that speaks. */
            target: string;
            /**
             * Format: int64
             * @description Unix milliseconds.
             */
            time_ms: number;
        };
        /** @description What liquidity would have earned. */
        LiquidityView: {
            days: number;
            /** Format: double */
            epsilon: number;
            /** Format: double */
            mean_fee_pips: number;
            /** Format: double */
            static_usd_per_year_per_100m: number;
            /** Format: double */
            theta: number;
            /** Format: double */
            usd_per_year_per_100m: number;
        };
        /** @description The newest lines of the log. */
        LogsView: {
            /** @description Oldest first. */
            entries: components["schemas"]["LineView"][];
        };
        /** @description What a market goes by. */
        MarketPolicyView: {
            bounds: components["schemas"]["BoundsView"];
            /** @description Who may change the policy, 0x-hex. */
            owner: string;
            policy: components["schemas"]["PolicyView"];
        };
        /** @description A market of a model. */
        MarketView: {
            /** @description keccak-256 of the name, 0x-hex: its id on chain. */
            id: string;
            /**
             * @description Name.
             * @example BTC-USD
             */
            name: string;
        };
        /** @description Why a period has no update. */
        MissView: {
            /**
             * @description Stable code of the error; the operator handbook explains it.
             * @example VR-CHAIN-001
             */
            code: string;
            /** @description The stage that had been reached. */
            stage: string;
        };
        /** @description The model that a node runs. */
        ModelView: {
            /** @description Version of EZKL that proves, where it does. */
            ezkl_version?: string | null;
            /** @description The candle features in order, then those of the calendar. */
            features: string[];
            /** @description SHA-256 of every file of the bundle, hex. */
            files_sha256: {
                [key: string]: string;
            };
            /** @description Minutes that a forecast covers. */
            horizon_minutes: number;
            /**
             * Format: int32
             * @description log2 of the features' grid.
             */
            input_scale_log2: number;
            /** @description Public inputs of a proof. */
            instances: number;
            /** @description Minutes that the features look back over. */
            lookback_minutes: number;
            /** @description SHA-256 of the bundle's manifest, hex. */
            manifest_sha256: string;
            /** @description The same of each market, in their order; none for a model of something else. */
            market_thresholds: number[];
            /** @description Markets in the order of the proof's rows. */
            markets: components["schemas"]["MarketView"][];
            /**
             * @description Name of the model.
             * @example btc-regime-4h-v1
             */
            model_id: string;
            /**
             * Format: int32
             * @description log2 of the outputs' grid.
             */
            output_scale_log2: number;
            /**
             * Format: int64
             * @description Length of a period.
             * @example 14400
             */
            period_seconds: number;
            /** @description Length of a proof; 0 where the chain computes the network itself. */
            proof_bytes: number;
            /** @description Whether that string is the public ceremony's. */
            srs_is_ceremony?: boolean | null;
            /** @description SHA-256 of the SRS of the keys, hex, where there are keys. */
            srs_sha256?: string | null;
            /**
             * Format: double
             * @description Standard deviation of one-minute returns above which the first market is High; absent for a model of something else.
             */
            threshold_volatility?: number | null;
            /**
             * @description How the chain is convinced: `ezkl`, `halo2` or `direct`.
             * @example ezkl
             */
            verification: string;
            /** @description keccak-256 of the verifier's deployed code, 0x-hex. */
            verifier_code_hash: string;
        };
        /** @description A move. */
        MoveView: {
            /** Format: double */
            cost_usd: number;
            /** @description Where the money lies; `cash` for none of the strategies. */
            from: string;
            /** Format: double */
            gain_usd: number;
            /** @description Whether it pays. */
            is_made: boolean;
            to: string;
            /** Format: double */
            usd: number;
            why: string;
        };
        /** @description What an update did to a market. */
        MovedView: {
            /** @description What the update leads to. */
            after: components["schemas"]["VectorView"];
            /**
             * Format: double
             * @description What the parameters follow.
             */
            applied_volatility: number;
            /** @description The same in a sentence. */
            because: string;
            before?: components["schemas"]["VectorView"] | null;
            /** @description The rules that bound, in their order: `dwell`, `margin`, `first_knot`, `last_knot`, `max_rise`, `max_fall`, `loosen_delay`. */
            bound: string[];
            /**
             * Format: int64
             * @description From when looser values hold, Unix seconds.
             */
            effective_at_s: number;
            /**
             * Format: double
             * @description What was forecast, as the contract reads it.
             */
            forecast_volatility: number;
            /**
             * Format: double
             * @description What the limits on rises and falls were asked for.
             */
            requested_volatility: number;
        };
        /**
         * @description A network in integers: `y = activation(weights · x + biases) << shift`, layer by layer, without any rounding. `x` of the first are
         *     a market's feature integers, `y` of the last its outputs in units of 2^-`output_scale_log2`. The biases of the last layer are the first
         *     market's; each market adds its own row of `offsets` to these sums.
         */
        NetworkView: {
            /**
             * Format: int32
             * @description Largest magnitude of a feature integer.
             */
            feature_bound: number;
            /**
             * Format: int32
             * @description log2 of the features' grid.
             */
            input_scale_log2: number;
            layers: components["schemas"]["LayerView"][];
            /** @description What is added to the sums of the last layer besides, by market and output, decimal; none where all markets take the same way. */
            offsets: string[][];
            /**
             * Format: int32
             * @description log2 of the outputs' grid.
             */
            output_scale_log2: number;
        };
        /** @description Parameters that will hold. */
        NextView: {
            /** Format: int64 */
            amm_fee_pips: number;
            /** Format: int64 */
            borrow_cap_factor_bps: number;
            /** Format: int64 */
            borrow_collateral_ratio_bps: number;
            /**
             * Format: int64
             * @description From when on, Unix seconds.
             */
            effective_at_seconds: number;
            /** Format: int64 */
            liquidation_collateral_ratio_bps: number;
            /**
             * Format: int64
             * @description When the liquidation ratio will have come to its new value, Unix seconds.
             */
            liquidation_reached_at_seconds: number;
        };
        /** @description A market that a period's update omits. */
        OmissionView: {
            /**
             * @description Stable code of what is wrong with its candles; the operator handbook explains it.
             * @example VR-DATA-007
             */
            code: string;
            /** @description Name of the market. */
            market: string;
        };
        /** @description How a job works. */
        OperationsView: {
            endpoints: components["schemas"]["EndpointView"][];
            /** @description The newest 2,000 periods, oldest first. */
            heat: components["schemas"]["HeatView"][];
            sources: components["schemas"]["SourceView"][];
            /** @description The newest 200, newest first. */
            transactions: components["schemas"]["TransactionView"][];
            wallet?: components["schemas"]["WalletView"] | null;
        };
        /** @description An output of the network. */
        OutputView: {
            /** @description On the outputs' grid, decimal. */
            integer: string;
            /** @example log_volatility */
            name: string;
            unit: string;
            /** Format: double */
            value: number;
        };
        /** @description A check of a job. */
        OverviewCheck: {
            /** @description Stable code of what is wrong. */
            code?: string | null;
            /** @description What was seen, with its unit. */
            figure: string;
            /** @description What to do about it. */
            hint?: string | null;
            /**
             * @description `ok`, `warn` or `fail`.
             * @example ok
             */
            level: string;
            /** @example chain head */
            name: string;
        };
        /** @description A job at a glance. */
        OverviewJob: {
            activity: components["schemas"]["ActivityView"];
            /**
             * Format: int64
             * @description EIP-155 id of its chain.
             */
            chain_id: number;
            checks: components["schemas"]["OverviewCheck"][];
            /** @description The contract that takes its updates, 0x-hex. */
            contract?: string | null;
            /**
             * @description `regime`, `hedge` or `yield`; null before it was opened.
             * @example regime
             */
            kind?: string | null;
            last_cycle?: components["schemas"]["PeriodView"] | null;
            /** @description Of a job of regimes. */
            markets: components["schemas"]["OverviewMarket"][];
            /** @description Name of its model. */
            model_id?: string | null;
            /**
             * @description Name in the settings.
             * @example btc-regime-4h-v1
             */
            name: string;
            /**
             * Format: int64
             * @description When its next cycle begins, Unix milliseconds.
             */
            next_period_ms?: number | null;
            /**
             * Format: int64
             * @description Start of period 0 after the Unix epoch.
             */
            offset_seconds?: number | null;
            /**
             * Format: int64
             * @description Length of its periods.
             */
            period_seconds?: number | null;
            /** @description Whether it works and no check of it fails; null before the first checks. */
            ready?: boolean | null;
            /** @description How the chain is convinced: `ezkl`, `halo2` or `direct`. */
            verification?: string | null;
        };
        /** @description A market at a glance. */
        OverviewMarket: {
            /**
             * Format: int64
             * @description Since the period of the last update began; null before the first.
             */
            age_s?: number | null;
            /** @example BTC-USD */
            name: string;
            params?: components["schemas"]["ParamsView"] | null;
            /** @description Stable code of why it says nothing. */
            params_error?: string | null;
            /** @description Its newest forecasts, oldest first. */
            recent: components["schemas"]["RecentView"][];
        };
        /** @description The node at a glance. */
        OverviewView: {
            /** @description What does not hold as it should, as it was seen at the last look. */
            alerts: components["schemas"]["AlertView"][];
            /** @description In the order of the settings. */
            jobs: components["schemas"]["OverviewJob"][];
            /**
             * Format: int64
             * @description The time that the node goes by, Unix milliseconds: that of the first job, which may be a replay's.
             */
            now_ms: number;
            /**
             * Format: int64
             * @description When it was started, Unix milliseconds by the machine's clock.
             */
            started_ms: number;
            /** @description Version of the program. */
            version: string;
        };
        /** @description A market's parameters on chain. */
        ParamsView: {
            /**
             * Format: int64
             * @description Swap fee, in hundredths of a bps.
             */
            amm_fee_pips: number;
            /**
             * Format: double
             * @description Volatility that the parameters follow: the forecast behind dwell, margin and rate limits.
             */
            applied_volatility: number;
            /**
             * Format: int64
             * @description Part of the borrow cap that is open, in bps.
             */
            borrow_cap_factor_bps: number;
            /**
             * Format: int64
             * @description Collateral for new borrowing, in bps of the debt.
             */
            borrow_collateral_ratio_bps: number;
            /**
             * Format: int64
             * @description Collateral below which a position may be liquidated, in bps of the debt.
             */
            liquidation_collateral_ratio_bps: number;
            /** @description The market. */
            market: components["schemas"]["MarketView"];
            /** @description What the last update leads to. */
            next: components["schemas"]["NextView"];
            /**
             * Format: int64
             * @description Period of the last update.
             */
            period: number;
            /**
             * Format: int64
             * @description The last update's probability of a High period, in bps.
             */
            probability_high_bps: number;
            /**
             * @description `unset` before the first update, then `fresh`, `grace`, `stale`, or `withheld`.
             * @example fresh
             */
            status: string;
            /**
             * Format: double
             * @description Forecast standard deviation of one-minute returns.
             */
            volatility: number;
        };
        /** @description A cycle with everything that its proof is about. */
        PeriodDetail: components["schemas"]["PeriodView"] & {
            /** @description SHA-256 of each market's candles, hex. */
            candles_sha256: string[];
            /** @description The proven inputs of all markets, integers on the model's grid. */
            features: number[];
            /**
             * @description The proven outputs of all markets, integers on the model's grid, as decimal text: logit of Low, logit of High,
             *     log-volatility.
             */
            outputs: string[];
            /** @description The proof, 0x-hex. A week after the period only the evidence has it. */
            proof?: string | null;
        };
        /** @description A period's cycle in short. */
        PeriodView: {
            /** @description What a country's electricity was forecast to cost, by horizon; absent for a model of something else. */
            electricity?: components["schemas"]["ElectricityView"][];
            /** @description SHA-256 of the update's evidence, for `/v1/evidence/{digest}`; of our own updates, until it is pruned. */
            evidence?: string | null;
            /** @description What was forecast, by market that is not omitted. */
            forecasts: components["schemas"]["ForecastView"][];
            landed?: components["schemas"]["LandedView"] | null;
            missed?: components["schemas"]["MissView"] | null;
            /** @description Markets that the update leaves as they are, because their candles kept failing. */
            omitted: components["schemas"]["OmissionView"][];
            /**
             * Format: int64
             * @description Number of the period: Unix seconds divided by the `period_seconds` of its model.
             */
            period: number;
            /**
             * Format: int64
             * @description Milliseconds that the proof took.
             */
            prove_ms?: number | null;
            /** @description Name of the source of its candles. */
            source?: string | null;
            /**
             * @description How far the cycle got: `planned`, `collected`, `forecast`, `proved`, `submitting`, `confirmed`, `already_by_other`
             *     or `missed`.
             * @example confirmed
             */
            stage: string;
            /**
             * @description When the period starts.
             * @example 2026-01-05T00:00Z
             */
            start_utc: string;
            /**
             * Format: int64
             * @description When the cycle began, Unix milliseconds.
             */
            started_ms: number;
            strategy?: components["schemas"]["YieldView"] | null;
            /**
             * Format: int64
             * @description When it last changed, Unix milliseconds.
             */
            updated_ms: number;
        };
        /** @description Cycles, newest first. */
        PeriodsView: {
            /**
             * Format: int64
             * @description What to give as `before` for the next page; null on the last one.
             */
            next_before?: number | null;
            periods: components["schemas"]["PeriodView"][];
        };
        /** @description A transaction's place on chain. */
        PlaceView: {
            /** Format: int64 */
            block: number;
            /** Format: int64 */
            gas_used: number;
        };
        /** @description How a market turns forecasts into parameters. */
        PolicyView: {
            /** Format: int32 */
            dwell_periods: number;
            /** Format: int32 */
            grace_after_bps: number;
            /** @description 2 to 4, rising in volatility. */
            knots: components["schemas"]["KnotView"][];
            /** Format: int32 */
            liquidation_rise_bps_per_day: number;
            /** Format: int32 */
            loosen_delay_seconds: number;
            /** Format: int32 */
            margin_bps: number;
            /** Format: int32 */
            max_fall_bps_per_period: number;
            /** Format: int32 */
            max_rise_bps_per_period: number;
            /** Format: int32 */
            stale_after_bps: number;
        };
        /** @description Whose yields, and how far ahead. */
        PredictBody: {
            /**
             * Format: int64
             * @description Days ahead: 7.
             * @example 7
             */
            horizon_days: number;
            /**
             * @description Names of strategies of the settings, 1 to 100.
             * @example [
             *       "aave",
             *       "lido",
             *       "delta"
             *     ]
             */
            strategies: string[];
        };
        /** @description What is said of them. */
        Predicted: {
            /** @description By name. */
            predictions: {
                [key: string]: components["schemas"]["PredictionView"];
            };
        };
        /** @description A forecast. Rates and shares are fractions, not percent. */
        PredictionView: {
            /**
             * Format: int64
             * @description Days since.
             */
            age_days: number;
            /**
             * Format: double
             * @description Mean rate of the next 7 days, a year.
             * @example 0.052
             */
            apy: number;
            /**
             * @description The last day that was known.
             * @example 2024-08-05
             */
            as_of: string;
            /**
             * Format: double
             * @description Share of outcomes that the interval is to hold.
             * @example 0.9
             */
            coverage: number;
            /** @description Ends of the interval of `apy`. */
            interval: number[];
            /**
             * @description Who forecast it.
             * @example yields-v1-lending
             */
            model_id: string;
            /** @description What the rate leaves out. */
            note?: string | null;
            proof?: components["schemas"]["ProofView"] | null;
            risk?: components["schemas"]["RiskView"] | null;
            /**
             * Format: double
             * @description Standard deviation of its daily rate.
             * @example 0.08
             */
            volatility: number;
        };
        /** @description Prices of a country's electricity and of the euro. */
        PricesBody: {
            /**
             * Format: int64
             * @description Mean price of the last 30 days in EUR/MWh, times 1e6.
             */
            eur_per_mwh_e6: number;
            /**
             * Format: int64
             * @description Dollars for a euro, times 1e6.
             */
            usd_per_eur_e6: number;
        };
        /** @description A proof, and how to have it verified. */
        ProofView: {
            /** @description The proof, 0x-hex; empty where the chain computes the network itself. */
            bytes: string;
            /** @description What the verifier is to be called with, for `POST /v1/call`: it answers with a word that is 1 for a proof that holds. */
            call_data: string;
            /** @description Field elements, 0x-hex: features of all markets, then outputs of all markets. */
            public_inputs: string[];
            /** @description SHA-256 of its bytes, hex. */
            sha256: string;
            /** @description The contract that verifies it, 0x-hex; null where neither evidence nor the chain says it. */
            verifier?: string | null;
            /**
             * @description `ezkl`, `halo2` or `direct`.
             * @example ezkl
             */
            way: string;
        };
        /** @description What was looked at, and how it came out. */
        Readiness: {
            /**
             * Format: int64
             * @description Since the checks were made, those of the job that was looked at longest ago.
             */
            age_seconds: number;
            checks: components["schemas"]["CheckView"][];
            /** @description Whether every job works and no check fails. */
            ready: boolean;
        };
        /** @description A forecast in short. */
        RecentView: {
            /**
             * Format: double
             * @description Volatility that the parameters followed then; null where the node's own update did not set them.
             */
            applied_volatility?: number | null;
            /** Format: double */
            probability_high: number;
            /**
             * Format: int64
             * @description When its period begins, Unix milliseconds.
             */
            start_ms: number;
            /**
             * Format: double
             * @description Standard deviation of one-minute returns.
             */
            volatility: number;
        };
        /** @description A bin of a reliability diagram. */
        ReliabilityView: {
            /** Format: int64 */
            count: number;
            /** Format: double */
            forecast: number;
            /** Format: double */
            observed: number;
        };
        /** @description What a strategy lost in its past; shares of its value. */
        RiskView: {
            /**
             * Format: double
             * @description Largest fall of the value below what it once was.
             */
            drawdown_trailing: number;
            /**
             * Format: double
             * @description The same within any 7 days.
             */
            drawdown_week: number;
            /**
             * Format: double
             * @description What the worst twentieth of the weeks lost at least.
             */
            value_at_risk_week: number;
        };
        /** @description One forecaster. */
        ScoreRow: {
            /**
             * Format: double
             * @description Share of right regimes.
             */
            accuracy?: number | null;
            /**
             * Format: double
             * @description Mean squared error of the probability of High; null of persistence, which gives none.
             */
            brier?: number | null;
            /** @example forecast */
            name: string;
            /**
             * Format: double
             * @description Mean loss of the volatility by the variance that followed; the lower, the better.
             */
            qlike?: number | null;
        };
        /** @description How good forecasts were whose horizons are over. */
        ScoreView: {
            /** @description What was promised and what came, in ten bins of equal width; those that hold no period are absent. */
            calibration: components["schemas"]["CalibrationBin"][];
            /**
             * Format: int32
             * @description Days that were looked back over.
             */
            days: number;
            /** @description Periods that all figures are of. */
            periods: number;
            /** @description `forecast`, `persistence` (the last horizon repeats itself) and `har` (a regression on earlier volatilities). */
            rows: components["schemas"]["ScoreRow"][];
        };
        /**
         * @description A market's periods, oldest first: entry `i` of every list is of the same period. Volatilities are standard deviations of
         *     one-minute returns.
         */
        SeriesView: {
            amm_fee_pips: (number | null)[];
            /** @description Volatility that the parameters follow. */
            applied_volatility: (number | null)[];
            borrow_cap_factor_bps: (number | null)[];
            /** @description What the node's own updates led to; null of periods without one, and of updates of others. */
            borrow_collateral_ratio_bps: (number | null)[];
            /** @description From when looser values held, Unix seconds. */
            effective_at_s: (number | null)[];
            /** @description What a regression on the volatilities of an hour, four hours, a day and a week says, with the coefficients of the manifest. */
            har_volatility: (number | null)[];
            /**
             * Format: int64
             * @description What a forecast covers from its period's start on.
             * @example 14400
             */
            horizon_seconds: number;
            job: string;
            liquidation_collateral_ratio_bps: (number | null)[];
            market: string;
            /** @description Numbers of the periods. */
            period: number[];
            /**
             * Format: int64
             * @description Length of a period.
             * @example 14400
             */
            period_seconds: number;
            /** @description That of the horizon before. */
            persistence_volatility: (number | null)[];
            /** @description Forecast probability of High. */
            probability_high: (number | null)[];
            /** @description What followed, by the candles of later cycles: null while the horizon is not over, and where candles were missing. */
            realised_volatility: (number | null)[];
            /** @description `Low` or `High`, as it was called. */
            regime: (string | null)[];
            /** @description The same, had there been no limit on rises and falls. */
            requested_volatility: (number | null)[];
            /** @description How far the cycles got. */
            stage: string[];
            /** @description When they begin, Unix milliseconds. */
            start_ms: number[];
            /**
             * Format: double
             * @description Above it a horizon is High.
             */
            threshold_volatility: number;
            /** @description Forecast volatility. */
            volatility: (number | null)[];
        };
        /** @description A strategy's part; shares of the capital. */
        ShareView: {
            /** Format: double */
            apy: number;
            /**
             * Format: double
             * @description What lies there now.
             */
            current: number;
            interval: number[];
            model_id: string;
            /**
             * Format: double
             * @description What would be best, if moves cost nothing.
             */
            target: number;
            /** Format: double */
            volatility: number;
            /**
             * Format: double
             * @description What is to lie there.
             */
            weight: number;
        };
        /** @description Parts of a market's outputs. */
        SharesView: {
            /**
             * Format: double
             * @description Of `logit_high` less `logit_low`: its sigmoid is the probability of High.
             */
            log_odds_high: number;
            /**
             * Format: double
             * @description Of `log_volatility`.
             */
            log_volatility: number;
            /**
             * Format: double
             * @description Of `logit_high`.
             */
            logit_high: number;
        };
        /** @description An exchange. */
        SourceView: {
            /**
             * Format: double
             * @description Largest difference of a minute's return from the one that is used, where it was compared for the newest period.
             */
            disagreement_bps?: number | null;
            /** Format: int64 */
            errors: number;
            /** Format: int64 */
            latency_ms?: number | null;
            name: string;
            /** Format: int64 */
            requests: number;
            /** @description `used` for the newest period, `failed` for it, or `idle`. */
            state: string;
        };
        /** @description A stage of a cycle. */
        StageView: {
            /**
             * Format: int64
             * @description When it was reached, Unix milliseconds.
             */
            at_ms: number;
            /** @example proved */
            stage: string;
        };
        /** @description What is stated beside a country's forecast of electricity, or a strategy's of its yield. */
        StatedBody: components["schemas"]["PricesBody"] | components["schemas"]["LevelBody"];
        /** @description What is said of a strategy. */
        StrategyView: {
            error?: components["schemas"]["ErrorBody"] | null;
            /**
             * @description `lp`, `lending` or `delta`.
             * @example lending
             */
            kind: string;
            /** @description What publishers call it. */
            pool: string;
            prediction?: components["schemas"]["PredictionView"] | null;
            /** @description Stable code of why its publisher brought nothing new. */
            source_error?: string | null;
        };
        /** @description The transaction that brought the update. */
        TransactionView: {
            /**
             * Format: int64
             * @description Block that holds it.
             */
            block: number;
            /** @description What a unit of gas cost, in wei, decimal; null where the chain does not say it. */
            effective_gas_price_wei?: string | null;
            /** @description The wallet that paid, 0x-hex; null where the database has it no more. */
            from?: string | null;
            /**
             * Format: int64
             * @description Gas that it used.
             */
            gas_used: number;
            /** @description 0x-hex. */
            hash: string;
            /** @description Fee cap for a unit of gas, in wei, decimal. */
            max_fee_per_gas_wei?: string | null;
            /** Format: int64 */
            nonce?: number | null;
            /** @description What the gas cost, in wei, decimal; on an OP stack the part of L1 is not in it. */
            paid_wei?: string | null;
        };
        /** @description A market's parameters. */
        VectorView: {
            /**
             * Format: int32
             * @description Swap fee, in hundredths of a bps.
             */
            amm_fee_pips: number;
            /**
             * Format: int32
             * @description Part of the borrow cap that is open, in bps.
             */
            borrow_cap_factor_bps: number;
            /**
             * Format: int32
             * @description Collateral for new borrowing, in bps of the debt.
             */
            borrow_collateral_ratio_bps: number;
            /**
             * Format: int32
             * @description Collateral below which a position may be liquidated, in bps of the debt.
             */
            liquidation_collateral_ratio_bps: number;
        };
        /** @description A model that the contract was served with. */
        VersionView: {
            /** Format: int64 */
            first_period: number;
            /** Format: int64 */
            first_start_ms: number;
            is_current: boolean;
            /** Format: int64 */
            last_period: number;
            /** Format: int64 */
            last_start_ms: number;
            manifest_sha256: string;
            model_id: string;
        };
        /** @description The wallet that pays. */
        WalletView: {
            address: string;
            /** @description Wei, decimal. */
            balance_wei: string;
            /**
             * Format: int64
             * @description Updates that it pays for at the fee of now.
             */
            updates_left?: number | null;
        };
        /** @description What a strategy is forecast to yield in the 7 days after its data: shares of 1 a year. */
        YieldView: {
            /**
             * Format: double
             * @description Mean rate.
             */
            apy: number;
            /**
             * @description Last day of the data.
             * @example 2026-01-04
             */
            as_of: string;
            /** @description Ends of the mean rate's 90 % interval. */
            interval: number[];
            /**
             * Format: double
             * @description Standard deviation of the daily rate.
             */
            volatility: number;
        };
        /** @description What is said of all strategies. */
        YieldsView: {
            /**
             * @description When it was said.
             * @example 2024-08-05T16:00:00Z
             */
            collected_utc: string;
            /**
             * @description Days ahead that forecasts are of.
             * @example 7
             */
            horizon_days: number;
            /**
             * Format: int32
             * @description How many days old the data of a forecast may be.
             */
            max_age_days: number;
            /** @description By name. */
            strategies: {
                [key: string]: components["schemas"]["StrategyView"];
            };
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    livez: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it runs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Alive"];
                };
            };
        };
    };
    metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the figures */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
    openapi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description an OpenAPI 3.1 document */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    predict: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PredictBody"];
            };
        };
        responses: {
            /** @description the forecasts */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Predicted"];
                };
            };
            /** @description a body that makes no sense */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description this node forecasts no strategies */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a strategy that is not known, another horizon, none or too many, or data that are too old */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description nothing was forecast yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    readyz: {
        parameters: {
            query?: {
                /** @description name of the job that is meant; all if absent */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description every job works and no check fails */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a job does not work, a check fails, or there are none yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Readiness"];
                };
            };
        };
    };
    allocation: {
        parameters: {
            query: {
                /**
                 * @description All of the money, USD.
                 * @example 100000
                 */
                capital_usd: number;
                /**
                 * @description Names of strategies, separated by commas; all of which something can be said if absent.
                 * @example aave,lido
                 */
                strategies?: string;
                /**
                 * @description Shares of the money that lie in strategies now, as `name:share`, separated by commas. The rest is cash.
                 * @example aave:0.6,lido:0.2
                 */
                current?: string;
                /** @description What is best. */
                objective?: "mean_variance" | "max_sharpe" | "min_drawdown";
                /** @description How much risk counts in `mean_variance`; 1 if absent. */
                risk_aversion?: number;
                /** @description Largest share of a strategy; 1 if absent. */
                cap?: number;
                /** @description Smallest share of a strategy that holds anything; 0 if absent. */
                min_position?: number;
                /** @description What cash earns a year, a fraction, where some may be left; everything is invested if absent. */
                cash_rate?: number;
                /** @description Days in which a move must pay for itself; 7 if absent. */
                gate_days?: number;
                /** @description Gas of entering a strategy, and of leaving it, USD; by the node's tables if absent. */
                gas_usd?: number;
                /** @description Lost of an amount that enters or leaves, basis points; 0 for lending and 10 for the others if absent. */
                slippage_bps?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description what is to be done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AllocationView"];
                };
            };
            /** @description a parameter that makes no sense */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description this node forecasts no strategies */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a strategy that is not known, limits that no portfolio keeps to, or a cost that is not known */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description nothing was forecast yet, or the answer took too long */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    attest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AttestBody"];
            };
        };
        responses: {
            /** @description signed */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attested"];
                };
            };
            /** @description a body that makes no sense */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description this node does not attest for others */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not what this node would publish */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the body is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not at the moment */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    call: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CallBody"];
            };
        };
        responses: {
            /** @description its answer */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CallAnswer"];
                };
            };
            /** @description a body that makes no sense */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the body, or what is asked, is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not a contract of the job, or it refuses the call */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the chain does not answer, too many calls wait, or the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    candles: {
        parameters: {
            query: {
                /**
                 * @description Name of one of the model's markets.
                 * @example BTC-USD
                 */
                market: string;
                /** @description Only minutes that begin then or later, Unix milliseconds. */
                from_ms?: number;
                /** @description Only minutes that begin before, Unix milliseconds; now if absent. */
                to_ms?: number;
                /** @description Length of a bar: 1, 5, 15, 60 or 240; 60 if absent. */
                minutes?: number;
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the bars, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CandlesView"];
                };
            };
            /** @description a parameter that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not one of the model's markets, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job forecasts no regimes */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer, or the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    events: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description events until the node stops */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description as many listen already as may */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    evidence: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256, 64 hex digits */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the bundle */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/gzip": number[];
                };
            };
            /** @description not a digest */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description this node does not have it */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many fetch one already */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    jobs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the jobs */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobsView"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    job: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description its name */
                job: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the job */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["JobView"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    lab: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LabRequest"];
            };
        };
        responses: {
            /** @description what it would have done */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabView"];
                };
            };
            /** @description a body that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no such job or market */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a body that is too large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a policy that the contract would refuse, or a job of another kind */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description another policy is tried, or chain or database do not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    logs: {
        parameters: {
            query?: {
                /** @description Only lines with a higher number, oldest first; without it the newest ones. */
                after?: number;
                /** @description How many, 1 to 500. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the lines */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LogsView"];
                };
            };
            /** @description a parameter that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    model: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the model */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelView"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    card: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the card */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CardView"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job does not run yet, or the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    operations: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description how the job works */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationsView"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job does not run yet, or the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    overview: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the node */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OverviewView"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    params: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path: {
                /**
                 * @description name of one of the model's markets
                 * @example BTC-USD
                 */
                market: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the parameters */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ParamsView"];
                };
            };
            /** @description not one of the model's markets, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the chain does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    periods: {
        parameters: {
            query?: {
                /** @description How many at most. */
                limit?: number;
                /** @description Only periods before this one: `next_before` of the page before. */
                before?: number;
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description a page of them */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeriodsView"];
                };
            };
            /** @description a parameter that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no job of this node */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    period: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path: {
                /** @description number of the period: Unix seconds divided by the `period_seconds` of its model */
                period: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the cycle */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PeriodDetail"];
                };
            };
            /** @description no number */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no cycle of that period, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    explained: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path: {
                /** @description number of the period: Unix seconds divided by the `period_seconds` of its model */
                period: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the update */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ExplainedView"];
                };
            };
            /** @description no number */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no cycle of that period, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer, or the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    policy: {
        parameters: {
            query?: {
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path: {
                /**
                 * @description name of one of the model's markets
                 * @example BTC-USD
                 */
                market: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description policy, bounds and owner */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MarketPolicyView"];
                };
            };
            /** @description not one of the model's markets, no policy, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description a job of another kind */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the chain does not answer */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    score: {
        parameters: {
            query: {
                /**
                 * @description Name of one of the model's markets.
                 * @example BTC-USD
                 */
                market: string;
                /** @description Only periods that began within so many days; 30 if absent. */
                days?: number;
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the figures */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ScoreView"];
                };
            };
            /** @description a parameter that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not one of the model's markets, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job forecasts no regimes */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer, or the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    series: {
        parameters: {
            query: {
                /**
                 * @description Name of one of the model's markets.
                 * @example BTC-USD
                 */
                market: string;
                /** @description Only periods that begin then or later, Unix milliseconds. */
                from_ms?: number;
                /** @description Only periods that begin before, Unix milliseconds; now if absent. */
                to_ms?: number;
                /** @description Name of a job of `/v1/jobs`; the first one if absent. */
                job?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the periods, oldest first */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SeriesView"];
                };
            };
            /** @description a parameter that means nothing */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description not one of the model's markets, or no such job */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the job forecasts no regimes */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description the database does not answer, or the job does not run yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    yields: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the strategies */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["YieldsView"];
                };
            };
            /** @description this node forecasts no strategies */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description nothing was forecast yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
    strategy: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description name of a strategy of the settings
                 * @example aave
                 */
                strategy: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description the strategy */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StrategyView"];
                };
            };
            /** @description this node forecasts no strategies */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description no strategy of that name */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description too many requests */
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
            /** @description nothing was forecast yet */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ErrorBody"];
                };
            };
        };
    };
}
