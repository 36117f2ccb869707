package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.model.Checkpoint;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Safetensors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;

/**
 * A folder of reference numbers: config.json, the models prev, teacher and student, a batch, what
 * is expected of them, and a whole two-task run (trace). Everything is compared through the code
 * that training uses.
 */
public final class Golden {
  /** Relative error allowed of losses, of gradients and scores, and over a whole run. */
  static final double LOSS = 1e-5, TENSOR = 1e-4, TRACE = 1e-3;

  private Golden() {}

  /** Compares everything in a folder. Throws Failure where it is not laid out as expected. */
  public static Checks verify(Path folder, Ops ops, boolean recompute) {
    for (String file : List.of("prev", "teacher", "student", "batch", "expected")) {
      Path path = folder.resolve(file + ".safetensors");
      if (!Files.exists(path))
        throw Failure.input(
            "%s: no such file; a reference folder holds prev, teacher, student, batch and expected.safetensors",
            path);
    }
    var checks = new Checks();
    LlamaConfig config = LlamaConfig.read(folder);
    Path scratch = scratch();
    try (var memory = new Memory("reference models");
        var prev = model(folder, "prev", config, ops, memory, recompute);
        var teacher = model(folder, "teacher", config, ops, memory, recompute);
        var student = model(folder, "student", config, ops, memory, recompute);
        var batch = Safetensors.open(folder.resolve("batch.safetensors"));
        var expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      var golden = GoldenCase.read(batch, "");
      new ForwardChecks(golden, expected, checks).run(student, memory);
      new ImportanceChecks(golden, batch, expected, checks).run(teacher, prev);
      new DistillationChecks(golden, batch, expected, checks, scratch)
          .run(teacher, student, memory);
      if (Files.exists(folder.resolve("trace.json")))
        TraceCheck.run(folder, config, ops, recompute, checks, scratch);
    } finally {
      delete(scratch);
    }
    return checks;
  }

  static LlamaModel model(
      Path folder, String name, LlamaConfig config, Ops ops, Memory memory, boolean recompute) {
    var weights = new Weights(config, ops, memory, name);
    Checkpoint.load(folder.resolve(name + ".safetensors"), weights);
    return new LlamaModel(config, weights, ops, recompute);
  }

  /** The settings of a run with the paper's losses, a micro-batch being one pass. */
  static RunConfig config(RunConfig.Variant variant, double lambda1, double lambda2) {
    var d = RunConfig.DEFAULT;
    var seekr = new RunConfig.Seekr(variant, lambda2, null, null, 1, RunConfig.HeadChoice.both);
    var m =
        new RunConfig.Method(
            RunConfig.MethodName.seekr,
            0.01,
            0,
            lambda1,
            "f32",
            d.method().derpp(),
            seekr,
            d.method().ewc(),
            d.method().lwf(),
            d.method().lora(),
            d.method().olora());
    return new RunConfig(d.model(), d.data(), m, d.train(), d.eval(), d.run());
  }

  private static Path scratch() {
    try {
      return Files.createTempDirectory("seekr-verify");
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, "no folder for temporary files: " + e, e);
    }
  }

  private static void delete(Path folder) {
    try (var tree = Files.walk(folder)) {
      for (Path p : (Iterable<Path>) tree.sorted(Comparator.reverseOrder())::iterator)
        Files.delete(p);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, folder + ": cannot be deleted: " + e, e);
    }
  }
}
