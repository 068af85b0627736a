// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {Deploy} from "../script/Deploy.s.sol";
import {IModelRegistry} from "../src/interfaces/IModelRegistry.sol";
import {IRegimeRiskOracle} from "../src/interfaces/IRegimeRiskOracle.sol";
import {ModelRegistry} from "../src/ModelRegistry.sol";
import {RiskOracle} from "../src/RiskOracle.sol";
import {MockVerifier} from "./mocks/MockVerifier.sol";
import {OracleFixture} from "./OracleFixture.sol";

contract DeployTest is OracleFixture {
    Deploy private script;
    Deploy.Plan private plan;

    function setUp() public override {
        super.setUp();
        script = new Deploy();
        IModelRegistry.ModelSpec memory spec = _spec(_btcAndEth());
        spec.verifier = script.addressOf(type(MockVerifier).creationCode);
        plan = Deploy.Plan({
            owner: address(script),
            marketOwner: address(script),
            guardian: GUARDIAN,
            timelockSeconds: 1 days,
            attestors: _list(attestor),
            threshold: 1,
            sequencerFeed: STRANGER,
            verifierCode: type(MockVerifier).creationCode,
            modelSpec: abi.encode(spec)
        });
    }

    function test_CreatesAtTheAddressesThatFollowFromCode() public {
        (, RiskOracle deployed,) = script.deploy(plan);
        bytes memory arguments =
            abi.encode(plan.owner, plan.guardian, plan.timelockSeconds, deployed.registry(), plan.sequencerFeed);
        assertEq(address(deployed), script.addressOf(bytes.concat(type(RiskOracle).creationCode, arguments)));
        assertEq(script.addressOf(plan.verifierCode).codehash, address(verifier).codehash);
    }

    function test_TakesAVerifierThatIsThere() public {
        (bool created,) = script.DEPLOYER().call(bytes.concat(bytes32(0), plan.verifierCode));
        assertTrue(created);
        (ModelRegistry deployed,, bytes32 modelId) = script.deploy(plan);
        assertNotEq(deployed.modelReadyAt(modelId), 0);
    }

    function test_GivesRegistryAndOracleTheirRoles() public {
        (, RiskOracle deployed,) = script.deploy(plan);
        assertEq(deployed.owner(), address(script));
        assertEq(deployed.guardian(), GUARDIAN);
        assertEq(deployed.timelockSeconds(), 1 days);
        assertEq(deployed.sequencerFeed(), STRANGER);
        IModelRegistry models = deployed.registry();
        assertEq(ModelRegistry(address(models)).owner(), address(script));
        assertEq(ModelRegistry(address(models)).guardian(), GUARDIAN);
        assertEq(ModelRegistry(address(models)).timelockSeconds(), 1 days);
        (uint32 version, uint8 threshold) = models.attestorSet();
        assertEq(version, 1);
        assertEq(threshold, 1);
        assertTrue(models.isAttestor(attestor));
    }

    function test_RegistersEveryMarketWithTheStartingRules() public {
        (, RiskOracle deployed,) = script.deploy(plan);
        (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds) = script.startingRules();
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 market = _btcAndEth()[i];
            assertEq(deployed.marketOwner(market), address(script));
            assertEq(abi.encode(deployed.policy(market)), abi.encode(policy));
            assertEq(abi.encode(deployed.bounds(market)), abi.encode(bounds));
        }
    }

    function test_LeavesPoliciesToAnotherMarketOwner() public {
        plan.marketOwner = MARKET_OWNER;
        (, RiskOracle deployed,) = script.deploy(plan);
        assertEq(deployed.marketOwner(BTC), MARKET_OWNER);
        assertEq(deployed.policy(BTC).knots.length, 0);
        (IRegimeRiskOracle.Policy memory policy,) = script.startingRules();
        vm.prank(MARKET_OWNER);
        deployed.setPolicy(BTC, policy);
        assertEq(abi.encode(deployed.policy(BTC)), abi.encode(policy));
    }

    function test_ProposesTheModel() public {
        (ModelRegistry deployed,, bytes32 modelId) = script.deploy(plan);
        assertEq(modelId, keccak256(plan.modelSpec));
        assertEq(deployed.modelReadyAt(modelId), block.timestamp + 1 days);
    }

    function test_StartingRulesAreThoseOfTheFile() public view {
        (IRegimeRiskOracle.Policy memory policy, IRegimeRiskOracle.Bounds memory bounds) = script.startingRules();
        assertEq(policy.knots.length, 3);
        assertEq(policy.knots[0].vector.borrowCollateralRatioBps, 150_00);
        assertEq(policy.knots[2].vector.ammFeePips, 15_000);
        assertEq(policy.maxFallBpsPerPeriod, 25_00);
        assertEq(bounds.maxLiquidationRiseBpsPerDay, 2_00);
    }

    function test_RevertGiven_NoDeployer() public {
        vm.etch(script.DEPLOYER(), "");
        vm.expectRevert(abi.encodeWithSelector(Deploy.NotCreated.selector, ""));
        script.deploy(plan);
    }

    function test_RevertGiven_AnotherVerifier() public {
        IModelRegistry.ModelSpec memory spec = _spec(_btc());
        plan.modelSpec = abi.encode(spec);
        vm.expectRevert(
            abi.encodeWithSelector(Deploy.OtherVerifier.selector, spec.verifier, script.addressOf(plan.verifierCode))
        );
        script.deploy(plan);
    }
}
