package dev.seekr.config;

/** Progressive prompts (Razdaibiedina et al. 2023). */
public record PpSettings(
    @Setting(
            is = "800",
            limit = Limit.AT_LEAST_0,
            means =
                "width of the residual network that reparametrises a prompt in training; 0: none")
        int hidden,
    @Setting(
            is = "false",
            means =
                "answer a test question with the soft prompts as they were after its task (the task must be known); false: with all prompts")
        boolean byTask) {}
