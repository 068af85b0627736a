//! Uniswap v3's real factory, pool and router on a development chain, from what their packages publish.

use std::time::Duration;

use alloy::primitives::{Address, Bytes, U256, aliases::I24, aliases::U24, aliases::U160};
use alloy::sol_types::{SolCall, SolValue};
use serde_json::{Value, json};
use veriregime_agent::devnet::Anvil;

alloy::sol! {
    interface Token {
        function mint(address account, uint256 value) external returns (bool);
        function approve(address spender, uint256 amount) external returns (bool);
        function balanceOf(address account) external view returns (uint256);
    }

    interface Factory {
        function createPool(address tokenA, address tokenB, uint24 fee) external returns (address pool);
        function getPool(address tokenA, address tokenB, uint24 fee) external view returns (address pool);
    }

    interface Pool {
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

    interface Router {
        struct ExactInputSingleParams {
            address tokenIn;
            address tokenOut;
            uint24 fee;
            address recipient;
            uint256 deadline;
            uint256 amountIn;
            uint256 amountOutMinimum;
            uint160 sqrtPriceLimitX96;
        }

        function exactInputSingle(ExactInputSingleParams calldata params) external payable returns (uint256 amountOut);
    }
}

/// Fee of the pool.
pub const FEE_PIPS: u32 = 3000;
/// Dollars for a bitcoin at the beginning.
pub const BTC_USD: u64 = 60_000;
const CORE: &str = "node_modules/@uniswap/v3-core/artifacts/contracts";
const PERIPHERY: &str = "node_modules/@uniswap/v3-periphery/artifacts/contracts";
/// A token that anyone may mint.
const TOKENS: &str = "node_modules/@aave/core-v3/artifacts/contracts/mocks/tokens";
/// Looks for a receipt, and the pause between two of them.
const LOOKS: usize = 1000;
const PAUSE: Duration = Duration::from_millis(20);
/// The price's tick with WBTC first, to a multiple of the spacing, and how far the liquidity reaches.
const TICK: i32 = 63_960;
const RANGE: i32 = 1_800;

/// WBTC and USDC, and a pool of them.
pub struct Uniswap<'a> {
    anvil: &'a Anvil,
    /// An account of the chain's own.
    account: Address,
    pub factory: Address,
    pub router: Address,
    pub wbtc: Address,
    pub usdc: Address,
}

impl<'a> Uniswap<'a> {
    /// A pool with liquidity and room for observations.
    pub async fn deploy(anvil: &'a Anvil) -> Self {
        let accounts = anvil.request("eth_accounts", json!([])).await.unwrap();
        let account: Address = accounts[9].as_str().unwrap().parse().unwrap();
        let nowhere = Address::repeat_byte(1);
        let mut this = Self {
            anvil,
            account,
            factory: Address::ZERO,
            router: Address::ZERO,
            wbtc: Address::ZERO,
            usdc: Address::ZERO,
        };
        this.factory = this.create(CORE, "UniswapV3Factory", vec![]).await;
        this.router = this.create(PERIPHERY, "SwapRouter", (this.factory, nowhere).abi_encode()).await;
        let positions = (this.factory, nowhere, nowhere).abi_encode();
        let positions = this.create(PERIPHERY, "NonfungiblePositionManager", positions).await;
        this.wbtc = this.token("WBTC", 8).await;
        this.usdc = this.token("USDC", 6).await;
        let fee = U24::from(FEE_PIPS);
        this.call(this.factory, &Factory::createPoolCall { tokenA: this.wbtc, tokenB: this.usdc, fee }).await;
        let pool = this.pool().await;
        let sqrt_price = U160::from_be_slice(&this.sqrt_price().to_be_bytes::<32>()[12..]);
        this.call(pool, &Pool::initializeCall { sqrtPriceX96: sqrt_price }).await;
        this.call(pool, &Pool::increaseObservationCardinalityNextCall { observations: 20 }).await;
        // A pool notes one observation a second at most, and the first one came with its price.
        anvil.request("evm_increaseTime", json!([60])).await.unwrap();
        this.provide(positions).await;
        this
    }

    pub async fn pool(&self) -> Address {
        let call = Factory::getPoolCall { tokenA: self.wbtc, tokenB: self.usdc, fee: U24::from(FEE_PIPS) };
        Address::abi_decode(&self.view(self.factory, &call).await).unwrap()
    }

    /// Gives an account WBTC.
    pub async fn fund(&self, account: Address, sats: u64) {
        self.call(self.wbtc, &Token::mintCall { account, value: U256::from(sats) }).await;
    }

    /// USDC of an account, in units.
    pub async fn dollars(&self, account: Address) -> u64 {
        U256::abi_decode(&self.view(self.usdc, &Token::balanceOfCall { account }).await).unwrap().to()
    }

    /// Somebody sells so much WBTC at any price.
    pub async fn dump(&self, sats: u64) {
        self.fund(self.account, sats).await;
        let amount = U256::from(sats);
        self.call(self.wbtc, &Token::approveCall { spender: self.router, amount }).await;
        let params = Router::ExactInputSingleParams {
            tokenIn: self.wbtc,
            tokenOut: self.usdc,
            fee: U24::from(FEE_PIPS),
            recipient: self.account,
            deadline: U256::from(u64::MAX),
            amountIn: amount,
            amountOutMinimum: U256::ZERO,
            sqrtPriceLimitX96: U160::ZERO,
        };
        self.call(self.router, &Router::exactInputSingleCall { params }).await;
    }

    fn wbtc_is_first(&self) -> bool {
        self.wbtc < self.usdc
    }

    fn sqrt_price(&self) -> U256 {
        let (units, per) = (U256::from(BTC_USD), U256::from(100));
        let squared: U256 = if self.wbtc_is_first() { (units << 192) / per } else { (per << 192) / units };
        squared.root(2)
    }

    async fn provide(&self, positions: Address) {
        let amount = U256::from(1_000_000_000_000_000_u64);
        for token in [self.wbtc, self.usdc] {
            self.call(token, &Token::mintCall { account: self.account, value: amount }).await;
            self.call(token, &Token::approveCall { spender: positions, amount }).await;
        }
        let (sats, dollars) = (U256::from(20_000_000_000_u64), U256::from(12_000_000_000_000_u64));
        let (token0, token1, amount0, amount1, middle) = if self.wbtc_is_first() {
            (self.wbtc, self.usdc, sats, dollars, TICK)
        } else {
            (self.usdc, self.wbtc, dollars, sats, -TICK)
        };
        let params = Positions::MintParams {
            token0,
            token1,
            fee: U24::from(FEE_PIPS),
            tickLower: I24::try_from(middle - RANGE).unwrap(),
            tickUpper: I24::try_from(middle + RANGE).unwrap(),
            amount0Desired: amount0,
            amount1Desired: amount1,
            amount0Min: U256::ZERO,
            amount1Min: U256::ZERO,
            recipient: self.account,
            deadline: U256::from(u64::MAX),
        };
        self.call(positions, &Positions::mintCall { params }).await;
    }

    async fn token(&self, symbol: &str, decimals: u8) -> Address {
        let arguments = (symbol.to_owned(), symbol.to_owned(), U256::from(decimals)).abi_encode_params();
        self.create(TOKENS, "MintableERC20", arguments).await
    }

    async fn create(&self, folder: &str, name: &str, arguments: Vec<u8>) -> Address {
        let file = format!("{folder}/{name}.sol/{name}.json");
        let artifact: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let code: Bytes = artifact["bytecode"].as_str().unwrap().parse().unwrap();
        let receipt = self.send(json!({"data": Bytes::from([code.to_vec(), arguments].concat())})).await;
        receipt["contractAddress"].as_str().unwrap_or_else(|| unreachable!("{name}: {receipt}")).parse().unwrap()
    }

    async fn call(&self, to: Address, call: &impl SolCall) {
        self.send(json!({"to": to, "data": Bytes::from(call.abi_encode())})).await;
    }

    async fn send(&self, mut transaction: Value) -> Value {
        transaction["from"] = json!(self.account);
        transaction["gas"] = json!("0x989680");
        let hash = self.anvil.request("eth_sendTransaction", json!([transaction])).await.unwrap();
        for _ in 0..LOOKS {
            let receipt = self.anvil.request("eth_getTransactionReceipt", json!([hash])).await.unwrap();
            if !receipt.is_null() {
                assert_eq!(receipt["status"], "0x1", "{receipt}");
                return receipt;
            }
            tokio::time::sleep(PAUSE).await;
        }
        unreachable!("{hash} is not mined");
    }

    async fn view(&self, to: Address, call: &impl SolCall) -> Bytes {
        let transaction = json!({"to": to, "data": Bytes::from(call.abi_encode())});
        let answer = self.anvil.request("eth_call", json!([transaction, "latest"])).await.unwrap();
        answer.as_str().unwrap().parse().unwrap()
    }
}
