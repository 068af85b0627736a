// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Script, console} from "forge-std/Script.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RiskOracle} from "../src/RiskOracle.sol";

/// @title Deploy
/// @notice The first deployment as `veriregime-agent deploy` makes it, at the same addresses, up to the model's proposal:
///   veriregime-agent --config agent.toml --json deploy --dry-run > out/plan.json
///   PLAN=out/plan.json BUNDLE=models/btc-regime-4h-v1 forge script contracts/script/Deploy.s.sol --rpc-url … --broadcast …
/// @dev It must be sent by the owner of the plan. The agent's `deploy` then finds everything there and, after the timelock,
/// activates the model with a proof; `deploy` is also what goes on after a script that was broken off.
contract Deploy is Script {
    /// @notice Creates contracts by CREATE2 for whoever asks: calldata is the salt, then creation code.
    address public constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

    bytes32 private constant SALT = 0;

    /// @notice What a deployment depends on.
    struct Plan {
        address owner;
        address marketOwner;
        address guardian;
        uint256 timelockSeconds;
        address[] attestors;
        uint8 threshold;
        address sequencerFeed;
        /// Creation code of the model's verifier.
        bytes verifierCode;
        /// `abi.encode(ModelSpec)`.
        bytes modelSpec;
    }

    /// @notice Thrown when a contract cannot be created.
    error NotCreated(bytes returned);

    /// @notice Thrown when the specification is of another verifier than the plan's.
    error OtherVerifier(address expected, address actual);

    /// @notice Reads the plan, and sends what it takes.
    function run() external {
        string memory json = vm.readFile(vm.envString("PLAN"));
        Plan memory plan = Plan({
            owner: vm.parseJsonAddress(json, ".constructor.owner"),
            marketOwner: vm.parseJsonAddress(json, ".market_owner"),
            guardian: vm.parseJsonAddress(json, ".constructor.guardian"),
            timelockSeconds: vm.parseJsonUint(json, ".constructor.timelock_seconds"),
            attestors: vm.parseJsonAddressArray(json, ".constructor.attestors"),
            threshold: uint8(vm.parseJsonUint(json, ".constructor.threshold")),
            sequencerFeed: vm.parseJsonAddress(json, ".constructor.sequencer_feed"),
            verifierCode: vm.parseBytes(
                vm.trim(vm.readFile(string.concat(vm.envString("BUNDLE"), "/verifier.bytecode")))
            ),
            modelSpec: vm.parseJsonBytes(json, ".model_spec")
        });
        vm.startBroadcast();
        (ModelRegistry registry, RiskOracle oracle, bytes32 modelId) = deploy(plan);
        vm.stopBroadcast();
        console.log("ModelRegistry", address(registry));
        console.log("RiskOracle", address(oracle));
        console.log("model", vm.toString(modelId), "can be activated from", registry.modelReadyAt(modelId));
    }

    /// @notice Everything up to the model's proposal. Where markets have another owner, that one sets their policies.
    function deploy(Plan memory plan) public returns (ModelRegistry registry, RiskOracle oracle, bytes32 modelId) {
        IModelRegistry.ModelSpec memory spec = abi.decode(plan.modelSpec, (IModelRegistry.ModelSpec));
        address verifier = _create(plan.verifierCode);
        if (spec.verifier != verifier) revert OtherVerifier(spec.verifier, verifier);
        registry = ModelRegistry(_create(_registryCode(plan)));
        oracle = RiskOracle(_create(_oracleCode(plan, registry)));
        (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds) = startingRules();
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            oracle.registerMarket(spec.markets[i], plan.marketOwner, bounds);
            if (plan.marketOwner == plan.owner) oracle.setPolicy(spec.markets[i], policy);
        }
        modelId = registry.proposeModel(spec, 0);
    }

    /// @notice What a market starts with: deploy/policy.toml.
    function startingRules()
        public
        view
        returns (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds)
    {
        string memory toml = vm.readFile("deploy/policy.toml");
        policy.knots = new IRegimeRiskOracle.Knot[](_number(toml, ".limits.knots"));
        for (uint256 i = 0; i < policy.knots.length; ++i) {
            policy.knots[i] = _knot(toml, string.concat(".knot.", vm.toString(i + 1)));
        }
        policy.marginBps = uint16(_number(toml, ".limits.margin_bps"));
        policy.dwellPeriods = uint8(_number(toml, ".limits.dwell_periods"));
        policy.maxRiseBpsPerPeriod = uint16(_number(toml, ".limits.max_rise_bps_per_period"));
        policy.maxFallBpsPerPeriod = uint16(_number(toml, ".limits.max_fall_bps_per_period"));
        policy.loosenDelaySeconds = uint24(_number(toml, ".limits.loosen_delay_seconds"));
        policy.liquidationRiseBpsPerDay = uint16(_number(toml, ".limits.liquidation_rise_bps_per_day"));
        policy.graceAfterBps = uint16(_number(toml, ".limits.grace_after_bps"));
        policy.staleAfterBps = uint16(_number(toml, ".limits.stale_after_bps"));
        bounds = IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: uint16(_number(toml, ".bounds.min_borrow_collateral_ratio_bps")),
            maxBorrowCollateralRatioBps: uint16(_number(toml, ".bounds.max_borrow_collateral_ratio_bps")),
            minLiquidationCollateralRatioBps: uint16(_number(toml, ".bounds.min_liquidation_collateral_ratio_bps")),
            maxLiquidationRiseBpsPerDay: uint16(_number(toml, ".bounds.max_liquidation_rise_bps_per_day")),
            minAmmFeePips: uint24(_number(toml, ".bounds.min_amm_fee_pips")),
            maxAmmFeePips: uint24(_number(toml, ".bounds.max_amm_fee_pips")),
            minBorrowCapFactorBps: uint16(_number(toml, ".bounds.min_borrow_cap_factor_bps"))
        });
    }

    /// @notice Where the code will be.
    function addressOf(bytes memory code) public pure returns (address) {
        return vm.computeCreate2Address(SALT, keccak256(code), DEPLOYER);
    }

    /// @dev Skipped if it is there already.
    function _create(bytes memory code) private returns (address created) {
        created = addressOf(code);
        if (created.code.length != 0) return created;
        (, bytes memory returned) = DEPLOYER.call(bytes.concat(SALT, code));
        if (created.code.length == 0) revert NotCreated(returned);
    }

    function _registryCode(Plan memory plan) private pure returns (bytes memory) {
        return bytes.concat(
            type(ModelRegistry).creationCode,
            abi.encode(plan.owner, plan.guardian, plan.timelockSeconds, plan.attestors, plan.threshold)
        );
    }

    function _oracleCode(Plan memory plan, ModelRegistry registry) private pure returns (bytes memory) {
        return bytes.concat(
            type(RiskOracle).creationCode,
            abi.encode(plan.owner, plan.guardian, plan.timelockSeconds, registry, plan.sequencerFeed)
        );
    }

    function _knot(string memory toml, string memory name) private pure returns (IRegimeRiskOracle.Knot memory) {
        return IRegimeRiskOracle.Knot({
            volatilityE9: uint32(_number(toml, string.concat(name, ".volatility_e9"))),
            vector: IRiskParameters.RiskVector({
                borrowCollateralRatioBps: uint16(_number(toml, string.concat(name, ".borrow_collateral_ratio_bps"))),
                liquidationCollateralRatioBps: uint16(
                    _number(toml, string.concat(name, ".liquidation_collateral_ratio_bps"))
                ),
                ammFeePips: uint24(_number(toml, string.concat(name, ".amm_fee_pips"))),
                borrowCapFactorBps: uint16(_number(toml, string.concat(name, ".borrow_cap_factor_bps")))
            })
        });
    }

    function _number(string memory toml, string memory key) private pure returns (uint256) {
        return vm.parseTomlUint(toml, key);
    }
}
