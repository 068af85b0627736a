//! Uniswap v3's real factory, pool and router on a development chain, from what their packages publish.

use std::time::Duration;

use alloy::primitives::aliases::{I24, U24, U160};
use alloy::primitives::{Address, Bytes, U256};
use alloy::providers::{Provider, RootProvider};
use alloy::sol_types::{SolCall, SolValue};
use anyhow::Context;
use serde_json::{Value, json};

use super::Anvil;
use crate::actions::hedge_vault::abi::UniswapRouter;
use crate::config::place;

alloy::sol! {
    /// A token that anyone may mint.
    interface MintableToken {
        function mint(address account, uint256 value) external returns (bool);
        function approve(address spender, uint256 amount) external returns (bool);
        function balanceOf(address account) external view returns (uint256);
    }

    interface PoolFactory {
        function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
        function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
    }

    interface PoolSetup {
        function initialize(uint160 sqrtPriceX96) external;
        function increaseObservationCardinalityNext(uint16 observations) external;
    }

    interface Positions {
        struct MintParams {
            address token0;
            address token1;
            uint24 fee;
            int24 tickLower;
            int24 tickUpper;
            uint256 amount0Desired;
            uint256 amount1Desired;
            uint256 amount0Min;
            uint256 amount1Min;
            address recipient;
            uint256 deadline;
        }

        function mint(MintParams calldata params) external payable;
    }
}

/// Fee of the pool.
pub const FEE_PIPS: u32 = 3000;
/// Room for observations that the pool gets.
const OBSERVATIONS: u16 = 60;
/// Ticks between two at which liquidity may end, for that fee.
const TICK_SPACING: i32 = 60;
/// `ln(1.0001)`, the logarithm of a tick.
const LOG_TICK: f64 = 9.999_500_033_330_8e-5;
const CORE: &str = "node_modules/@uniswap/v3-core/artifacts/contracts";
const PERIPHERY: &str = "node_modules/@uniswap/v3-periphery/artifacts/contracts";
const TOKENS: &str = "node_modules/@aave/core-v3/artifacts/contracts/mocks/tokens";
/// Largest artifact.
const MAX_ARTIFACT_BYTES: u64 = 8 << 20;
/// Looks for a receipt, and the pause between two of them.
const LOOKS: usize = 1000;
const PAUSE: Duration = Duration::from_millis(20);
/// Tokens that whoever provides liquidity, or moves the price, has at hand.
const PLENTY: u64 = 100_000_000_000_000_000;
/// Units of a token that a trader offers to move the price as far as it shall go.
const OFFER: u64 = 1_000_000_000_000_000;

/// What the pool is to be like.
#[derive(Debug, Clone, Copy)]
pub struct PoolShape {
    /// Dollars for a bitcoin at the beginning.
    pub btc_usd: f64,
    /// How far the liquidity reaches, either way, in ticks.
    pub range_ticks: i32,
    /// Bitcoin on one side of it; the other has as many dollars as they are worth.
    pub wbtc: u64,
}

/// WBTC and USDC, and a pool of them.
#[derive(Debug)]
pub struct Uniswap {
    provider: RootProvider,
    /// An account of the chain's own.
    account: Address,
    /// The factory, which knows the pool.
    pub factory: Address,
    pub router: Address,
    pub wbtc: Address,
    pub usdc: Address,
}

impl Uniswap {
    /// A pool with liquidity and room for observations.
    ///
    /// # Errors
    /// Packages that are not installed, or a chain that does not answer.
    pub async fn deploy(anvil: &Anvil, shape: PoolShape) -> anyhow::Result<Self> {
        let accounts = anvil.request("eth_accounts", json!([])).await?;
        let account: Address = accounts[9].as_str().context("anvil has ten accounts")?.parse()?;
        let nowhere = Address::repeat_byte(1);
        let mut this = Self {
            provider: anvil.provider.clone(),
            account,
            factory: Address::ZERO,
            router: Address::ZERO,
            wbtc: Address::ZERO,
            usdc: Address::ZERO,
        };
        this.factory = this.create(CORE, "UniswapV3Factory", vec![]).await?;
        this.router = this.create(PERIPHERY, "SwapRouter", (this.factory, nowhere).abi_encode()).await?;
        let positions = (this.factory, nowhere, nowhere).abi_encode();
        let positions = this.create(PERIPHERY, "NonfungiblePositionManager", positions).await?;
        this.wbtc = this.token("WBTC", 8).await?;
        this.usdc = this.token("USDC", 6).await?;
        for token in [this.wbtc, this.usdc] {
            let amount = U256::from(PLENTY);
            this.call(token, &MintableToken::mintCall { account, value: amount }).await?;
            for spender in [positions, this.router] {
                this.call(token, &MintableToken::approveCall { spender, amount: U256::MAX }).await?;
            }
        }
        let fee = U24::from(FEE_PIPS);
        this.call(this.factory, &PoolFactory::createPoolCall { tokenA: this.wbtc, tokenB: this.usdc, fee }).await?;
        let pool = this.pool().await?;
        this.call(pool, &PoolSetup::initializeCall { sqrtPriceX96: this.sqrt_price(shape.btc_usd) }).await?;
        this.call(pool, &PoolSetup::increaseObservationCardinalityNextCall { observations: OBSERVATIONS }).await?;
        // A pool notes one observation a second at most, and the first one came with its price.
        anvil.request("evm_increaseTime", json!([60])).await?;
        this.provide(positions, shape).await?;
        Ok(this)
    }

    /// The pool.
    ///
    /// # Errors
    /// A chain that does not answer.
    pub async fn pool(&self) -> anyhow::Result<Address> {
        let call = PoolFactory::getPoolCall { tokenA: self.wbtc, tokenB: self.usdc, fee: U24::from(FEE_PIPS) };
        Ok(Address::abi_decode(&self.view(self.factory, &call).await?)?)
    }

    /// Gives an account WBTC.
    ///
    /// # Errors
    /// A chain that does not answer.
    pub async fn fund(&self, account: Address, sats: u64) -> anyhow::Result<()> {
        self.call(self.wbtc, &MintableToken::mintCall { account, value: U256::from(sats) }).await
    }

    /// USDC of an account, in units.
    ///
    /// # Errors
    /// A chain that does not answer.
    pub async fn dollars(&self, account: Address) -> anyhow::Result<u64> {
        let held = self.view(self.usdc, &MintableToken::balanceOfCall { account }).await?;
        Ok(U256::abi_decode(&held)?.saturating_to())
    }

    /// Somebody sells so much WBTC at any price.
    ///
    /// # Errors
    /// A chain that does not answer.
    pub async fn dump(&self, sats: u64) -> anyhow::Result<()> {
        self.swap(self.wbtc, self.usdc, sats, U160::ZERO).await
    }

    /// Somebody trades until the pool's price is that many dollars for a bitcoin, which it is not yet.
    ///
    /// # Errors
    /// A chain that does not answer.
    pub async fn trade_to(&self, btc_usd: f64, is_higher: bool) -> anyhow::Result<()> {
        let (from, to) = if is_higher { (self.usdc, self.wbtc) } else { (self.wbtc, self.usdc) };
        self.swap(from, to, OFFER, self.sqrt_price(btc_usd)).await
    }

    async fn swap(&self, from: Address, to: Address, amount: u64, limit: U160) -> anyhow::Result<()> {
        let params = UniswapRouter::ExactInputSingleParams {
            tokenIn: from,
            tokenOut: to,
            fee: U24::from(FEE_PIPS),
            recipient: self.account,
            deadline: U256::from(u64::MAX),
            amountIn: U256::from(amount),
            amountOutMinimum: U256::ZERO,
            sqrtPriceLimitX96: limit,
        };
        self.call(self.router, &UniswapRouter::exactInputSingleCall { params }).await
    }

    fn wbtc_is_first(&self) -> bool {
        self.wbtc < self.usdc
    }

    /// Square root of the second token's units for one of the first, times 2^96.
    fn sqrt_price(&self, btc_usd: f64) -> U160 {
        // Hundredths of a cent for a bitcoin are units of USDC for 10,000 units of WBTC.
        let (units, per) = (U256::from((btc_usd * 1e2).round() as u64), U256::from(10_000));
        let squared: U256 = if self.wbtc_is_first() { (units << 192) / per } else { (per << 192) / units };
        U160::from_be_slice(&squared.root(2).to_be_bytes::<32>()[12..])
    }

    async fn provide(&self, positions: Address, shape: PoolShape) -> anyhow::Result<()> {
        let middle =
            (libm::log(shape.btc_usd / 1e2) / LOG_TICK / f64::from(TICK_SPACING)).round() as i32 * TICK_SPACING;
        let range = shape.range_ticks / TICK_SPACING * TICK_SPACING;
        let sats = U256::from(shape.wbtc) * U256::from(100_000_000_u64);
        let dollars = U256::from(shape.wbtc) * U256::from((shape.btc_usd * 1e6) as u64);
        let (token0, token1, amount0, amount1, middle) = if self.wbtc_is_first() {
            (self.wbtc, self.usdc, sats, dollars, middle)
        } else {
            (self.usdc, self.wbtc, dollars, sats, -middle)
        };
        let params = Positions::MintParams {
            token0,
            token1,
            fee: U24::from(FEE_PIPS),
            tickLower: I24::try_from(middle - range)?,
            tickUpper: I24::try_from(middle + range)?,
            amount0Desired: amount0,
            amount1Desired: amount1,
            amount0Min: U256::ZERO,
            amount1Min: U256::ZERO,
            recipient: self.account,
            deadline: U256::from(u64::MAX),
        };
        self.call(positions, &Positions::mintCall { params }).await
    }

    async fn token(&self, symbol: &str, decimals: u8) -> anyhow::Result<Address> {
        let arguments = (symbol.to_owned(), symbol.to_owned(), U256::from(decimals)).abi_encode_params();
        self.create(TOKENS, "MintableERC20", arguments).await
    }

    async fn create(&self, folder: &str, name: &str, arguments: Vec<u8>) -> anyhow::Result<Address> {
        let file = place::tool(format!("{folder}/{name}.sol/{name}.json").as_ref());
        let bytes = veriregime_files::read_bounded(&file, MAX_ARTIFACT_BYTES)
            .with_context(|| format!("{} is not here; `make setup` installs it", file.display()))?;
        let artifact: Value = serde_json::from_slice(&bytes)?;
        let code: Bytes = artifact["bytecode"].as_str().context("an artifact has bytecode")?.parse()?;
        let receipt = self.send(json!({"data": Bytes::from([code.to_vec(), arguments].concat())})).await?;
        Ok(receipt["contractAddress"].as_str().with_context(|| format!("{name}: {receipt}"))?.parse()?)
    }

    async fn call(&self, to: Address, call: &impl SolCall) -> anyhow::Result<()> {
        self.send(json!({"to": to, "data": Bytes::from(call.abi_encode())})).await.map(|_| ())
    }

    async fn send(&self, mut transaction: Value) -> anyhow::Result<Value> {
        transaction["from"] = json!(self.account);
        transaction["gas"] = json!("0x989680");
        let hash = self.request("eth_sendTransaction", json!([transaction])).await?;
        for _ in 0..LOOKS {
            let receipt = self.request("eth_getTransactionReceipt", json!([hash])).await?;
            if !receipt.is_null() {
                anyhow::ensure!(receipt["status"] == "0x1", "a transaction of the pool failed: {receipt}");
                return Ok(receipt);
            }
            tokio::time::sleep(PAUSE).await;
        }
        anyhow::bail!("{hash} is not mined")
    }

    async fn request(&self, method: &'static str, params: Value) -> anyhow::Result<Value> {
        Ok(self.provider.raw_request(method.into(), params).await?)
    }

    async fn view(&self, to: Address, call: &impl SolCall) -> anyhow::Result<Bytes> {
        let transaction = json!({"to": to, "data": Bytes::from(call.abi_encode())});
        let answer = self.request("eth_call", json!([transaction, "latest"])).await?;
        Ok(answer.as_str().context("an answer of hex digits")?.parse()?)
    }
}
