// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// @dev 100 % in bps.
uint256 constant BPS = 10_000;

/// @dev 100 % in pips.
uint256 constant PIPS = 1_000_000;

/// @dev A week, after which calendar features repeat.
uint256 constant WEEK_SECONDS = 604_800;
