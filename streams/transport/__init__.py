"""The chunked Faust transport: chunks, the app, the stage runner, the outbox, the embedded broker."""
