// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAggregatorV3} from "../../src/interfaces/external/IAggregatorV3.sol";

/// @notice A Chainlink feed that answers, or fails, as it is told. Each of its two functions can fail by itself.
contract MockFeed is IAggregatorV3 {
    enum Failure {
        None,
        RevertEmpty,
        RevertReason,
        ReturnNothing,
        ReturnShort,
        ReturnHuge,
        BurnAllGas
    }

    uint256 private _decimals = 8;
    int256 private _answer;
    uint256 private _startedAt;
    uint256 private _updatedAt;
    mapping(bytes4 selector => Failure) private _failure;

    /// @notice A price; 256 bits of decimals, because a feed may answer anything.
    function price(int256 answer, uint256 decimals_, uint256 updatedAt) external {
        (_answer, _decimals, _updatedAt) = (answer, decimals_, updatedAt);
    }

    /// @notice A sequencer's state.
    function sequencer(int256 down, uint256 startedAt) external {
        (_answer, _startedAt) = (down, startedAt);
    }

    function fail(bytes4 selector, Failure failure) external {
        _failure[selector] = failure;
    }

    function decimals() external view returns (uint8) {
        _fail(32);
        uint256 answer = _decimals;
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        _fail(160);
        return (1, _answer, _startedAt, _updatedAt, 1);
    }

    function _fail(uint256 size) private view {
        Failure failure = _failure[msg.sig];
        if (failure == Failure.RevertReason) revert("no");
        if (failure == Failure.BurnAllGas) {
            assembly {
                invalid()
            }
        }
        if (failure == Failure.RevertEmpty) {
            assembly {
                revert(0, 0)
            }
        }
        uint256 returned = failure == Failure.ReturnShort ? size - 1 : failure == Failure.ReturnHuge ? 150_000 : 0;
        if (failure != Failure.None) {
            assembly {
                return(0, returned)
            }
        }
    }
}
