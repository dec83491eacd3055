"""What is done with referrals: sending, answering, writing, leaving; what units take."""
