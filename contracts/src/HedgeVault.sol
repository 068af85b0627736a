// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {EfficientHashLib} from "solady/utils/EfficientHashLib.sol";
import {FixedPointMathLib} from "solady/utils/FixedPointMathLib.sol";
import {LibString} from "solady/utils/LibString.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IHedgeVault} from "./interfaces/IHedgeVault.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IERC20Decimals} from "./interfaces/external/IERC20Decimals.sol";
import {IUniswapV3Factory, IUniswapV3Pool, IUniswapV3SwapCallback} from "./interfaces/external/IUniswapV3.sol";
import {HedgeMath} from "./libraries/HedgeMath.sol";
import {TwapLib} from "./libraries/TwapLib.sol";
import {BPS, WEEK_SECONDS} from "./libraries/Units.sol";
import {UpdateLib} from "./libraries/UpdateLib.sol";

/// @title HedgeVault
/// @notice Sells one owner's WBTC for the electricity of the next months. What it guarantees is written at the top of its
/// interface.
/// @dev A contract for each owner, without a factory: no account of one owner can be mixed up with another's, a vault holds
/// nothing but its owner's tokens, and there is no one to ask who deployed it. Owner and pool stay for ever: who wants others
/// withdraws and deploys again.
/// @dev It swaps on the pool itself: nobody needs an allowance, and USDC go from the pool to the owner without a stop. An
/// exact input, because budget and covered days are WBTC that are known before the swap; what an exact output would sell is
/// for whoever moves the price to decide.
contract HedgeVault is IHedgeVault, IUniswapV3SwapCallback {
    using FixedPointMathLib for uint256;
    using UpdateLib for bytes;

    /// @inheritdoc IHedgeVault
    bytes32 public constant PURPOSE = keccak256("electricity-price/1");

    bytes32 private constant PRICES_TYPEHASH =
        keccak256("HedgePrices(bytes32 modelId,uint64 period,uint64 eurPerMwhE6,uint64 usdPerEurE6)");

    uint256 private constant WBTC_DECIMALS = 8;
    uint256 private constant USDC_DECIMALS = 6;
    uint256 private constant MAX_SLIPPAGE_BPS = 1_000;
    uint256 private constant MIN_TWAP_SECONDS = 5 minutes;
    uint256 private constant MAX_TWAP_SECONDS = 1 days;
    uint256 private constant MIN_OBSERVATIONS = 2;

    /// @dev The ends of Uniswap's prices: no limit but what is received.
    uint160 private constant MIN_SQRT_PRICE = 4_295_128_739 + 1;
    uint160 private constant MAX_SQRT_PRICE = 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342 - 1;

    /// @inheritdoc IHedgeVault
    IModelRegistry public immutable registry;
    /// @inheritdoc IHedgeVault
    address public immutable owner;
    /// @inheritdoc IHedgeVault
    address public immutable wbtc;
    /// @inheritdoc IHedgeVault
    address public immutable usdc;
    /// @inheritdoc IHedgeVault
    address public immutable pool;

    uint256 private immutable _feePips;
    bool private immutable _wbtcIsToken0;

    Terms private _terms;
    State private _state;

    modifier onlyOwner() {
        if (msg.sender != owner) revert NotAllowed(msg.sender);
        _;
    }

    /// @param factory Uniswap's, which knows the pool of both tokens and the fee.
    /// @param feePips The pool's fee in hundredths of a bip.
    constructor(
        address owner_,
        IModelRegistry registry_,
        IUniswapV3Factory factory,
        address wbtc_,
        address usdc_,
        uint24 feePips
    ) {
        _configured(owner_ != address(0) && owner_ != address(this), "owner");
        _configured(address(registry_).code.length != 0, "registry");
        _configured(IERC20Decimals(wbtc_).decimals() == WBTC_DECIMALS, "wbtc");
        _configured(IERC20Decimals(usdc_).decimals() == USDC_DECIMALS, "usdc");
        pool = factory.getPool(wbtc_, usdc_, feePips);
        _configured(pool != address(0), "pool");
        (owner, registry, wbtc, usdc) = (owner_, registry_, wbtc_, usdc_);
        (_feePips, _wbtcIsToken0) = (feePips, wbtc_ < usdc_);
    }

    /* ACTIONS */

    /// @inheritdoc IHedgeVault
    /// @dev No reentrancy lock: what is written is written before the first call that is not a STATICCALL.
    function execute(IModelRegistry.Update calldata update, Prices calldata prices, bytes calldata attestations)
        external
        returns (Sale memory sale)
    {
        Terms memory allowed = _terms;
        State memory done = _state;
        uint256 periodStart = uint256(update.period) * done.periodSeconds;
        _checkTurn(allowed, done, update.modelId, periodStart);
        registry.verify(update);
        registry.checkStatement(statementOf(update.modelId, update.period, prices), attestations);

        uint256 twapWad =
            TwapLib.priceWad(IUniswapV3Pool(pool), _wbtcIsToken0, allowed.twapSeconds, allowed.minObservations);
        int256 output = update.outputs.outputAt(allowed.months - HedgeMath.FIRST_MONTHS);
        uint256 available = _available(allowed, done);
        sale = HedgeMath.saleOf(allowed, done, prices, output, periodStart, available, twapWad, _feePips);

        (done.lastPeriodStart, done.coveredUntilDay) = (uint40(periodStart), sale.untilDay);
        done.soldSats += sale.sats;
        _state = done;
        sale.usdc = _sell(sale.sats, HedgeMath.minUsdc(allowed, sale, _feePips));
        _tell(update, prices, sale);
    }

    /// @inheritdoc IHedgeVault
    function setTerms(Terms calldata next) external onlyOwner {
        IModelRegistry.Facts memory model = registry.facts(next.modelId);
        bool known = model.purpose == PURPOSE && model.outputCount == HedgeMath.OUTPUTS && model.markets.length == 1;
        _require(known && model.periodSeconds <= WEEK_SECONDS, "modelId");
        _require(next.watts != 0, "watts");
        _require(next.months >= HedgeMath.FIRST_MONTHS && next.months <= HedgeMath.LAST_MONTHS, "months");
        _require(next.shareBps != 0 && next.shareBps <= BPS, "shareBps");
        _require(next.slippageBps <= MAX_SLIPPAGE_BPS, "slippageBps");
        _require(next.twapSeconds >= MIN_TWAP_SECONDS && next.twapSeconds <= MAX_TWAP_SECONDS, "twapSeconds");
        _require(next.minObservations >= MIN_OBSERVATIONS, "minObservations");
        _require(next.floorUsdPerBtc != 0, "floorUsdPerBtc");
        _terms = next;
        (_state.periodSeconds, _state.outputScale) = (model.periodSeconds, model.outputScale);
        emit TermsSet(next);
    }

    /// @inheritdoc IHedgeVault
    function pause() external {
        if (msg.sender != _terms.operator && msg.sender != owner) revert NotAllowed(msg.sender);
        _setPaused(true);
    }

    /// @inheritdoc IHedgeVault
    function unpause() external onlyOwner {
        _setPaused(false);
    }

    /// @inheritdoc IHedgeVault
    function withdraw(address token, uint256 amount) external onlyOwner {
        emit Withdrawn(token, amount);
        SafeTransferLib.safeTransfer(token, owner, amount);
    }

    /// @inheritdoc IUniswapV3SwapCallback
    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != pool) revert NotPool(msg.sender);
        SafeTransferLib.safeTransfer(wbtc, pool, uint256(_wbtcIsToken0 ? amount0Delta : amount1Delta));
    }

    /* READS */

    /// @inheritdoc IHedgeVault
    function terms() external view returns (Terms memory) {
        return _terms;
    }

    /// @inheritdoc IHedgeVault
    function state() external view returns (State memory) {
        return _state;
    }

    /// @inheritdoc IHedgeVault
    function statementOf(bytes32 modelId, uint64 period, Prices calldata prices) public pure returns (bytes32) {
        return keccak256(abi.encode(PRICES_TYPEHASH, modelId, period, prices));
    }

    /* INTERNAL */

    /// @dev Everything that is cheaper to know than whether an update is good.
    function _checkTurn(Terms memory allowed, State memory done, bytes32 modelId, uint256 periodStart) private view {
        if (done.paused) revert VaultPaused();
        if (block.timestamp > allowed.deadline) revert DeadlineOver(allowed.deadline);
        if (modelId != allowed.modelId) revert ForeignModel(modelId);
        if (periodStart <= done.lastPeriodStart) revert PeriodDone(periodStart, done.lastPeriodStart);
        uint256 open = periodStart + allowed.operatorSeconds;
        if (block.timestamp < open && msg.sender != allowed.operator && msg.sender != owner) {
            revert OperatorFirst(open);
        }
    }

    /// @dev What budgets and balance allow to sell now.
    function _available(Terms memory allowed, State memory done) private view returns (uint256) {
        uint256 left = uint256(allowed.maxInAllSats).zeroFloorSub(done.soldSats);
        return left.min(allowed.maxPerPeriodSats).min(SafeTransferLib.balanceOf(wbtc, address(this)));
    }

    /// @dev Counts what arrives, whatever pool and token say.
    function _sell(uint256 sats, uint256 minUsdc) private returns (uint256 received) {
        uint256 before = SafeTransferLib.balanceOf(usdc, owner);
        uint160 limit = _wbtcIsToken0 ? MIN_SQRT_PRICE : MAX_SQRT_PRICE;
        IUniswapV3Pool(pool).swap(owner, _wbtcIsToken0, int256(sats), limit, "");
        received = SafeTransferLib.balanceOf(usdc, owner) - before;
        if (received < minUsdc) revert TooLittleReceived(received, minUsdc);
    }

    function _tell(IModelRegistry.Update calldata update, Prices calldata prices, Sale memory sale) private {
        bytes32 proofHash = EfficientHashLib.hashCalldata(update.proof);
        emit ForecastUsed(update.modelId, update.period, update.features, update.outputs, proofHash);
        emit Sold(update.modelId, update.period, msg.sender, prices, sale);
    }

    function _setPaused(bool paused) private {
        _state.paused = paused;
        emit PausedSet(paused, msg.sender);
    }

    function _configured(bool holds, bytes32 field) private pure {
        if (!holds) revert InvalidConfiguration(LibString.fromSmallString(field));
    }

    function _require(bool holds, bytes32 field) private pure {
        if (!holds) revert InvalidTerms(LibString.fromSmallString(field));
    }
}
