"""HC4 and NeuCLIR: documents as JSON lines, topics in several languages, qrels."""
