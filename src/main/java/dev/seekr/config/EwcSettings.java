package dev.seekr.config;

/** Elastic weight consolidation (Kirkpatrick et al. 2017). */
public record EwcSettings(
    @Setting(is = "400", limit = Limit.AT_LEAST_0, means = "weight of the penalty; 0: off")
        double lambda,
    @Setting(
            is = "1",
            limit = Limit.SHARE,
            means = "what remains of the Fisher information of earlier tasks when one is finished")
        double gamma,
    @Setting(
            is = "0",
            limit = Limit.AT_LEAST_0,
            means =
                "training samples the Fisher information of a task is estimated on; 0: all of them")
        int samples) {}
