package dev.seekr.config;

import java.time.Duration;

/** What computes, what is written and when, and when a run stops by itself. */
public record RunSettings(
    @Setting(is = "null", limit = Limit.TEXT, free = true, means = "run folder") String out,
    @Setting(is = "auto", means = "compute backend; auto prints what it chose and why")
        Backend backend,
    @Setting(
            is = "f32",
            means =
                "element type of weights and activations. With bf16 the optimizer keeps f32 weights, and weight gradients are f32, unless train.state says otherwise. CPUs multiply bf16 with AMX or AVX512-BF16; without either, as f32")
        Floats dtype,
    @Setting(
            is = "0",
            limit = Limit.THREADS,
            free = true,
            means = "number of threads; 0: one per CPU available to the process")
        int threads,
    @Setting(is = "auto", means = "instruction set of the kernels") Isa isa,
    @Setting(is = "true", means = "save the model after each task") boolean saveModels,
    @Setting(
            is = "false",
            means =
                "measure the change of each head's attention in each task and write it to importance/; keeps the model from before the task. seekr does so anyway")
        boolean recordHeads,
    @Setting(is = "1", limit = Limit.AT_LEAST_1, means = "write every n-th step to the log")
        int logEvery,
    @Setting(
            is = "false",
            means =
                "also write losses, learning rates and scores for TensorBoard, to events in the run folder")
        boolean tensorboard,
    CheckpointSettings checkpoint,
    @Setting(
            is = "20s",
            free = true,
            means =
                "time to finish the current step when the run is told to stop; then the step is dropped")
        Duration stopGrace,
    @Setting(
            is = "null",
            limit = Limit.TIME_ABOVE_0,
            free = true,
            means =
                "save and stop before this much time has passed: 90m, 2h30m, 1-12:00:00; null: SEEKR_END_TIME (seconds since 1970), else never")
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
