// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Script, console} from "forge-std/Script.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {IRiskParameters} from "../src/interfaces/IRiskParameters.sol";
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
        (RiskOracle oracle, bytes32 modelId) = deploy(plan);
        vm.stopBroadcast();
        console.log("RiskOracle", address(oracle));
        console.log("model", vm.toString(modelId), "can be activated from", oracle.modelReadyAt(modelId));
    }

    /// @notice Everything up to the model's proposal.
    function deploy(Plan memory plan) public returns (RiskOracle oracle, bytes32 modelId) {
        IRegimeRiskOracle.ModelSpec memory spec = abi.decode(plan.modelSpec, (IRegimeRiskOracle.ModelSpec));
        address verifier = _create(plan.verifierCode);
        if (spec.verifier != verifier) revert OtherVerifier(spec.verifier, verifier);
        oracle = RiskOracle(_create(_oracleCode(plan)));
        (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds) = startingRules();
        IRegimeRiskOracle.PriceCheck memory none;
        for (uint256 i = 0; i < spec.markets.length; ++i) {
            oracle.registerMarket(spec.markets[i], plan.owner, bounds, none);
            oracle.setPolicy(spec.markets[i], policy);
        }
        modelId = oracle.proposeModel(spec, 0);
    }

    /// @notice What a market starts with: deploy/policy.toml.
    function startingRules()
        public
        view
        returns (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds)
    {
        string memory toml = vm.readFile("deploy/policy.toml");
        policy = IRegimeRiskOracle.Policy({
            calm: _vector(toml, ".calm"),
            turbulent: _vector(toml, ".turbulent"),
            marginBps: uint16(_number(toml, ".limits.margin_bps")),
            dwellPeriods: uint8(_number(toml, ".limits.dwell_periods")),
            maxRiseBpsPerPeriod: uint16(_number(toml, ".limits.max_rise_bps_per_period")),
            maxFallBpsPerPeriod: uint16(_number(toml, ".limits.max_fall_bps_per_period")),
            loosenDelaySeconds: uint16(_number(toml, ".limits.loosen_delay_seconds")),
            liquidationRiseBpsPerDay: uint16(_number(toml, ".limits.liquidation_rise_bps_per_day")),
            graceAfterSeconds: uint24(_number(toml, ".limits.grace_after_seconds")),
            staleAfterSeconds: uint24(_number(toml, ".limits.stale_after_seconds"))
        });
        bounds = IRegimeRiskOracle.Bounds({
            minBorrowCollateralRatioBps: uint16(_number(toml, ".bounds.min_borrow_collateral_ratio_bps")),
            maxBorrowCollateralRatioBps: uint16(_number(toml, ".bounds.max_borrow_collateral_ratio_bps")),
            minAmmFeePips: uint24(_number(toml, ".bounds.min_amm_fee_pips")),
            maxAmmFeePips: uint24(_number(toml, ".bounds.max_amm_fee_pips")),
            maxLiquidationRiseBpsPerDay: uint16(_number(toml, ".bounds.max_liquidation_rise_bps_per_day"))
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

    function _oracleCode(Plan memory plan) private pure returns (bytes memory) {
        return bytes.concat(
            type(RiskOracle).creationCode,
            abi.encode(
                plan.owner, plan.guardian, plan.timelockSeconds, plan.attestors, plan.threshold, plan.sequencerFeed
            )
        );
    }

    function _vector(string memory toml, string memory name) private pure returns (IRiskParameters.RiskVector memory) {
        return IRiskParameters.RiskVector({
            borrowCollateralRatioBps: uint16(_number(toml, string.concat(name, ".borrow_collateral_ratio_bps"))),
            liquidationCollateralRatioBps: uint16(
                _number(toml, string.concat(name, ".liquidation_collateral_ratio_bps"))
            ),
            ammFeePips: uint24(_number(toml, string.concat(name, ".amm_fee_pips"))),
            borrowCapFactorBps: uint16(_number(toml, string.concat(name, ".borrow_cap_factor_bps")))
        });
    }

    function _number(string memory toml, string memory key) private pure returns (uint256) {
        return vm.parseTomlUint(toml, key);
    }
}
