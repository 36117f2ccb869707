package dev.seekr.config;

import java.time.Duration;

/** What computes, what is written and when, and when a run stops by itself. */
public record RunSettings(
    @Setting(is = "null", limit = Limit.TEXT, free = true, means = "folder of the run") String out,
    @Setting(is = "auto", means = "what computes; auto says what it chose and why") Backend backend,
    @Setting(
            is = "f32",
            means =
                "f32 or bf16: what weights and activations are held and multiplied in. Beside bf16 an optimizer keeps the weights in f32, and gradients of weights are f32, unless train.state says otherwise. CPUs multiply bf16 by AMX or AVX512-BF16, or, where they have neither, as f32")
        Floats dtype,
    @Setting(
            is = "0",
            limit = Limit.THREADS,
            free = true,
            means = "threads; 0: one for each CPU this process may use")
        int threads,
    @Setting(is = "auto", means = "instruction set of the kernels") Isa isa,
    @Setting(is = "true", means = "save the model after each task") boolean saveModels,
    @Setting(
            is = "false",
            means =
                "measure how far the attention of each head moves in each task, and write it to importance/: the model before the task is kept while it lasts. seekr does so by itself")
        boolean recordHeads,
    @Setting(is = "1", limit = Limit.AT_LEAST_1, means = "write every n-th step to the log")
        int logEvery,
    @Setting(
            is = "false",
            means =
                "write losses, rates and scores for TensorBoard too, into the folder events of the run")
        boolean tensorboard,
    CheckpointSettings checkpoint,
    @Setting(
            is = "20s",
            free = true,
            means =
                "what a step that has begun is left when the run is told to stop; then it is dropped")
        Duration stopGrace,
    @Setting(
            is = "null",
            limit = Limit.TIME_ABOVE_0,
            free = true,
            means =
                "stop by itself, with all saved, before this time is over: 90m, 2h30m, 1-12:00:00; null: SEEKR_END_TIME (seconds since 1970), else never")
        Duration timeLimit) {
  /** The same with its folder elsewhere. */
  RunSettings at(String folder) {
    return new RunSettings(
        folder,
        backend,
        dtype,
        threads,
        isa,
        saveModels,
        recordHeads,
        logEvery,
        tensorboard,
        checkpoint,
        stopGrace,
        timeLimit);
  }

  /** The same, computed by something else. */
  public RunSettings computedBy(Backend backend, Floats dtype, int threads, Isa isa) {
    return new RunSettings(
        out,
        backend,
        dtype,
        threads,
        isa,
        saveModels,
        recordHeads,
        logEvery,
        tensorboard,
        checkpoint,
        stopGrace,
        timeLimit);
  }

  /** What computes. */
  public enum Backend {
    auto,
    cpu,
    cuda,
    reference
  }

  /** Instruction sets that kernels on CPUs are compiled for; auto: the best that there is. */
  public enum Isa {
    auto,
    avx512,
    avx2,
    scalar
  }

  /** Types that numbers are held or multiplied in. */
  public enum Floats {
    f32,
    bf16
  }
}
