"""What helps agents to answer: texts ready to use, and who answers while somebody is away."""
