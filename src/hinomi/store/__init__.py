"""Where they live: the case (Parquet evidence + SQL state) and the hash-chained journal."""
