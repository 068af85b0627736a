pub mod risk_oracle;
