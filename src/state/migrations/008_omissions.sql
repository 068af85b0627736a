-- Promises are about single markets, since an update may omit some. Those of before were about whole updates of contracts that
-- know no omissions: nothing is signed for these any more.
DROP TABLE promises;

CREATE TABLE promises (
    chain_id INTEGER NOT NULL,
    oracle   TEXT NOT NULL,
    model_id TEXT NOT NULL,
    period   INTEGER NOT NULL,
    market   INTEGER NOT NULL,
    payload  TEXT NOT NULL,
    PRIMARY KEY (chain_id, oracle, model_id, period, market)
) STRICT;
