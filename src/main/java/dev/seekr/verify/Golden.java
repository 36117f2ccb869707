package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.SeekrSettings;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.Collectives;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.Memory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
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

  /**
   * Refuses (78) folders whose numbers say nothing of narrower types than float32. A method chooses
   * heads, rows and prompts by small differences: rounding turns a choice, and all that follows is
   * another run.
   */
  public static void requireNarrow(Path folder) {
    if (MethodsCheck.in(folder))
      throw Failure.config(
          "%s: runs of methods are compared in f32 alone, since rounding turns what they choose; leave --dtype out",
          folder);
  }

  /**
   * Compares everything in a folder, by bounds for float32; a {@link Yardstick} has those of
   * narrower types. Throws Failure where it is not laid out as expected.
   */
  public static Checks verify(Path folder, Ops ops, Recompute recompute) {
    return verify(folder, ops, recompute, Collectives.ALONE);
  }

  /** The same by several processes, which share the steps of methods; each checks all. */
  public static Checks verify(Path folder, Ops ops, Recompute recompute, Collectives all) {
    if (MethodsCheck.in(folder)) return MethodsCheck.verify(folder, ops, recompute, all);
    for (String file : List.of("prev", "teacher", "student", "batch", "expected")) {
      Path path = folder.resolve(file + ".safetensors");
      if (!Files.exists(path))
        throw Failure.input(
            "%s: no such file; a reference folder holds prev, teacher, student, batch and expected.safetensors",
            path);
    }
    var checks = new Checks();
    LlamaConfig config = LlamaConfig.read(folder);
    try (var scratch = Scratch.create();
        var memory = new Memory("reference models");
        var prev = model(folder, "prev", config, ops, memory, recompute);
        var teacher = model(folder, "teacher", config, ops, memory, recompute);
        var student = model(folder, "student", config, ops, memory, recompute);
        var batch = Safetensors.open(folder.resolve("batch.safetensors"));
        var expected = Safetensors.open(folder.resolve("expected.safetensors"))) {
      var golden = GoldenCase.read(batch, "", config.V());
      new ForwardChecks(golden, expected, checks, folder).run(student, memory);
      new ImportanceChecks(golden, batch, expected, checks).run(teacher, prev);
      new DistillationChecks(golden, batch, expected, checks, scratch.folder())
          .run(teacher, student, memory);
      if (Files.exists(folder.resolve("trace.json")))
        TraceCheck.run(folder, config, ops, recompute, checks, scratch.folder());
    }
    return checks;
  }

  static LlamaModel model(
      Path folder, String name, LlamaConfig config, Ops ops, Memory memory, Recompute recompute) {
    var weights = new Weights(config, ops, memory, name);
    ModelFolder.load(folder.resolve(name + ".safetensors"), weights, ops);
    return new LlamaModel(config, weights, ops, recompute);
  }

  /** The settings of a SEEKR run, a micro-batch being one pass, and {@code more}. */
  static RunConfig config(
      SeekrSettings.Variant variant, double lambda1, double lambda2, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "method.name=seekr",
                "method.buffer_dtype=f32",
                "method.lambda1=" + lambda1,
                "method.seekr.variant=" + variant,
                "method.seekr.lambda2=" + lambda2));
    settings.addAll(List.of(more));
    return ConfigReader.parse("", "reference", settings);
  }
}
