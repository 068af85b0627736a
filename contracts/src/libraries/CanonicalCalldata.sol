// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IRegimeRiskOracle} from "../interfaces/IRegimeRiskOracle.sol";

/// @title CanonicalCalldata
/// @notice One encoding per update, so that what a watcher decodes from a transaction is what the contract saw.
library CanonicalCalldata {
    uint256 private constant WORD = 32;
    uint256 private constant HEAD_WORDS = 7;

    /// @notice Reverts with `NonCanonicalCalldata` unless the calldata is the selector, the offset of the only argument, its
    /// seven head words whose offsets leave neither gap nor overlap, its five arrays, and nothing else.
    /// @dev Decoding itself refuses integers with dirty upper bytes. A proof of the registered length has no padding; the
    /// attestations' padding is the one thing that is left free, and nobody reads it.
    function check(IRegimeRiskOracle.Update calldata update) internal pure {
        uint256 featuresAt = HEAD_WORDS * WORD;
        uint256 outputsAt = featuresAt + WORD + WORD * update.candleFeatures.length;
        uint256 closesAt = outputsAt + WORD + WORD * update.outputs.length;
        uint256 proofAt = closesAt + WORD + WORD * update.closesE8.length;
        uint256 attestationsAt = proofAt + WORD + _padded(update.proof.length);
        uint256 end = attestationsAt + WORD + _padded(update.attestations.length);
        bytes calldata arguments = msg.data[4:];
        bytes calldata head = arguments[WORD:];
        if (
            arguments.length != WORD + end || _word(arguments, 0) != WORD || _word(head, 2) != featuresAt
                || _word(head, 3) != outputsAt || _word(head, 4) != closesAt || _word(head, 5) != proofAt
                || _word(head, 6) != attestationsAt
        ) revert IRegimeRiskOracle.NonCanonicalCalldata();
    }

    function _word(bytes calldata data, uint256 index) private pure returns (uint256) {
        return uint256(bytes32(data[index * WORD:]));
    }

    function _padded(uint256 length) private pure returns (uint256) {
        return (length + WORD - 1) / WORD * WORD;
    }
}
