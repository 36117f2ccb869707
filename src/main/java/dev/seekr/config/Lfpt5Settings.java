package dev.seekr.config;

/** LFPT5 (Qin and Joty 2021). */
public record Lfpt5Settings(
    @Setting(
            is = "0.25",
            limit = Limit.AT_LEAST_0,
            means = "weight of learning to generate samples of the task; 0: off")
        double lambdaLm,
    @Setting(
            is = "0.1",
            limit = Limit.AT_LEAST_0,
            means = "weight of the KL divergence from the earlier prompt on pseudo samples; 0: off")
        double lambdaKl,
    @Setting(
            is = "64",
            limit = Limit.AT_LEAST_1,
            means = "pseudo samples: sample the next token from this many likeliest ones")
        int topK,
    @Setting(
            is = "4",
            limit = Limit.AT_LEAST_1,
            means = "maximum attempts per pseudo sample wanted")
        int tries) {}
