"""The watch as a use case: what the sensor hears is looked at, judged by the same rules as a scan, kept and told."""
