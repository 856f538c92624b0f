-- kind: expand
-- Sessions, messages and runs. Every row that belongs to a person carries its owner.

SET LOCAL search_path = chat, public;

CREATE TABLE sessions (
    id         uuid PRIMARY KEY,
    owner      text NOT NULL,
    title      text NOT NULL DEFAULT '' CHECK (length(title) <= 200),
    collection text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sessions_page ON sessions (owner, updated_at DESC, id DESC);

-- superseded_at: replaced by an edited question or a new try; kept, no longer shown.
-- status of a question is always 'done'; that of an answer follows its run.
CREATE TABLE messages (
    id            uuid PRIMARY KEY,
    session_id    uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    owner         text NOT NULL,
    role          text NOT NULL CHECK (role IN ('user', 'assistant')),
    content       text NOT NULL DEFAULT '',
    status        text NOT NULL DEFAULT 'done' CHECK (status IN ('running', 'done', 'stopped', 'error')),
    collection    text,
    model         text,
    sources       jsonb NOT NULL DEFAULT '[]',
    citations     jsonb NOT NULL DEFAULT '[]',
    grounding     jsonb,
    error         jsonb,
    feedback      text CHECK (feedback IN ('up', 'down')),
    feedback_note text,
    search_tokens tsvector NOT NULL DEFAULT '',
    created_at    timestamptz NOT NULL DEFAULT now(),
    superseded_at timestamptz
);
CREATE INDEX messages_page ON messages (session_id, id) WHERE superseded_at IS NULL;
CREATE INDEX messages_search ON messages USING gin (search_tokens);

-- A run is the making of one answer. The replica that holds the lease works on it;
-- when the lease ends without a renewal, any other replica takes the run over.
CREATE TABLE runs (
    id             uuid PRIMARY KEY,
    session_id     uuid NOT NULL REFERENCES sessions ON DELETE CASCADE,
    message_id     uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
    owner          text NOT NULL,
    groups         text[] NOT NULL DEFAULT '{}',
    status         text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'done', 'stopped', 'error')),
    attempt        integer NOT NULL DEFAULT 1,
    stop_requested boolean NOT NULL DEFAULT false,
    lease_holder   text,
    lease_until    timestamptz,
    request        jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    finished_at    timestamptz
);
-- One answer at a time in a session.
CREATE UNIQUE INDEX runs_one_active ON runs (session_id) WHERE status = 'running';
-- Deleting a session or a message looks for its runs.
CREATE INDEX runs_session ON runs (session_id);
CREATE INDEX runs_message ON runs (message_id);
CREATE INDEX runs_leases ON runs (lease_until) WHERE status = 'running';

CREATE TABLE run_events (
    run_id     uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
    seq        integer NOT NULL,
    type       text NOT NULL CHECK (type IN ('sources', 'token', 'done', 'error')),
    data       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, seq)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, messages, runs, run_events TO pilothouse_chat;
