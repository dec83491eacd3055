"""What others say of the same money: files of the providers and of the hospital, compared with the ledger."""
