package dev.seekr.config;

/** Elastic weight consolidation (Kirkpatrick et al. 2017). */
public record EwcSettings(
    @Setting(is = "400", limit = Limit.AT_LEAST_0, means = "weight of the penalty; 0: off")
        double lambda,
    @Setting(
            is = "1",
            limit = Limit.SHARE,
            means = "decay of earlier tasks' Fisher information at the end of a task; 1: none")
        double gamma,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means = "training samples for estimating a task's Fisher information; 0: all")
        int samples) {}
