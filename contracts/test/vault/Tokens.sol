// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {ERC20} from "solady/tokens/ERC20.sol";

/// @notice A token that anyone may mint, that can refuse accounts, keep a part of each transfer, and call somebody back.
contract StrangeToken is ERC20 {
    error Refused(address account);

    string private _symbol;
    uint8 private immutable _decimals;

    uint256 public feeBps;
    mapping(address account => bool) public isRefused;
    bytes public refusal;
    address private _called;
    bytes private _call;

    constructor(string memory symbol_, uint8 decimals_) {
        (_symbol, _decimals) = (symbol_, decimals_);
    }

    function name() public view override returns (string memory) {
        return _symbol;
    }

    function symbol() public view override returns (string memory) {
        return _symbol;
    }

    function decimals() public view override returns (uint8) {
        return _decimals;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice From now on keep this share of what is transferred.
    function setFee(uint256 bps) external {
        feeBps = bps;
    }

    /// @notice From now on let this account neither send nor receive, as USDC's issuer can.
    function refuse(address account) external {
        isRefused[account] = true;
    }

    /// @notice From now on make this call in each transfer, and keep what it reverts with.
    function callBack(address target, bytes calldata data) external {
        (_called, _call) = (target, data);
    }

    function _beforeTokenTransfer(address from, address to, uint256) internal view override {
        if (isRefused[from]) revert Refused(from);
        if (isRefused[to]) revert Refused(to);
    }

    function _afterTokenTransfer(address from, address to, uint256 amount) internal override {
        if (from == address(0) || to == address(0)) return;
        if (feeBps != 0) _burn(to, amount * feeBps / 10_000);
        if (_called == address(0)) return;
        (, refusal) = _called.call(_call);
    }
}
