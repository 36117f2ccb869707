package dev.seekr.config;

/** When the state of a run is saved, beside the ends of stages; what is not 0 counts. */
public record CheckpointSettings(
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            free = true,
            means = "every n steps; 0: by time alone")
        int steps,
    @Setting(
            is = "10",
            limit = Limit.AT_LEAST_0,
            free = true,
            means = "every n minutes; 0: by steps alone")
        double minutes,
    @Setting(
            is = "2",
            limit = Limit.AT_LEAST_0,
            free = true,
            means =
                "checkpoints kept; the last one stays when the run is finished. 0: one while the run goes on, none of a finished one")
        int keep) {}
