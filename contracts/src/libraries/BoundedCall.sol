// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {LibCall} from "solady/utils/LibCall.sol";

/// @title BoundedCall
/// @notice A question to a contract that cannot harm whoever asks: it cannot fail, nor burn more than a share of the gas,
/// nor answer more than is expected.
library BoundedCall {
    /// @dev The 1/64 that a caller keeps of its gas, the cost of the call itself, and something to spare.
    uint256 private constant SPARE_GAS = 5_000;

    /// @notice Thrown when the caller's gas does not cover the share. Without this a caller, or a wallet that searches for
    /// the lowest gas at which a call passes, could starve the question and so choose the answer.
    error NotEnoughGas();

    /// @notice Asks. Reverts with `NotEnoughGas` alone.
    /// @param size Bytes of the answer; one of another length does not count.
    /// @return ok Whether the call succeeded with an answer of that length.
    function ask(address target, uint256 gasShare, uint16 size, bytes memory question)
        internal
        view
        returns (bool ok, bytes memory answer)
    {
        if (gasleft() < gasShare + gasShare / 32 + SPARE_GAS) revert NotEnoughGas();
        bool longer;
        (ok, longer, answer) = LibCall.tryStaticCall(target, gasShare, size, question);
        ok = ok && !longer && answer.length == size;
    }
}
