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
            means = "weight of what the earlier prompt says of pseudo samples; 0: off")
        double lambdaKl,
    @Setting(
            is = "64",
            limit = Limit.AT_LEAST_1,
            means = "tokens that a pseudo sample's next token is drawn from")
        int topK,
    @Setting(
            is = "4",
            limit = Limit.AT_LEAST_1,
            means = "pseudo samples generated for each that is wanted, at most")
        int tries) {}
