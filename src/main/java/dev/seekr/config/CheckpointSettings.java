package dev.seekr.config;

/** When the state of a run is saved, beside the ends of stages; what is not 0 counts. */
public record CheckpointSettings(
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            free = true,
            means = "save every n steps; 0: by time only")
        int steps,
    @Setting(
            is = "10",
            limit = Limit.AT_LEAST_0,
            free = true,
            means = "save every n minutes; 0: by steps only")
        double minutes,
    @Setting(
            is = "2",
            limit = Limit.AT_LEAST_0,
            free = true,
            means =
                "checkpoints to keep; the last one remains after the run. 0: one during the run, none after it")
        int keep) {}
