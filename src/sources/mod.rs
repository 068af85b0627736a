pub mod candles;

