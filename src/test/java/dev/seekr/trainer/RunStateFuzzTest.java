package dev.seekr.trainer;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.disk.Disk;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.state.StateReader;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** state.json of two tasks by seekr, beside tensors of the run; the folder stands for the run's. */
class RunStateFuzzTest extends FuzzTarget {
  private static final List<String> TASKS = List.of("a", "b");
  private static final LlamaConfig SHAPE = TinyModel.config(5, 4, 4, 2, 2, 1, 2, true);

  private final Ops ops = new ReferenceOps(DType.F32);

  RunStateFuzzTest() {
    super(StateReader.VALUES, Exit.DATA, Exit.INPUT, Exit.IO);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    Path optimizer = folder.resolve(StateReader.fileOf("optimizer"));
    if (!Files.exists(optimizer)) {
      try (var memory = new Memory("fuzz")) {
        var flat = new Weights(SHAPE, ops, memory, "weights").flat();
        Disk.write(
            folder.resolve(StateReader.fileOf("weights")),
            SafetensorsWriter.content(Map.of("flat", flat)));
        Disk.write(optimizer, SafetensorsWriter.content(Map.of("m", flat, "v", flat)));
      }
    }
    return super.write(folder, input);
  }

  @Override
  protected Object read(Path file) {
    Path folder = file.getParent();
    try (var memory = new Memory("fuzz");
        var model =
            new LlamaModel(SHAPE, new Weights(SHAPE, ops, memory, "weights"), ops, Recompute.none);
        var method = new Seekr(new Setup(RunConfig.DEFAULT, model, new RunFolder(folder)));
        var learner = new Learner(model, method, RunConfig.DEFAULT.train());
        var from = StateReader.open(folder)) {
      var state =
          new RunState(false, TASKS, List.of(), model, learner, method, Map.of(), List.of());
      state.load(from);
      sound(state.stage >= 0 && state.stage <= TASKS.size(), "stage " + state.stage);
      sound(state.step >= 0, "step " + state.step);
      sound(state.scored >= 0 && state.scored <= TASKS.size(), "scored " + state.scored);
      sound(state.seconds >= 0 && Double.isFinite(state.seconds), "seconds " + state.seconds);
      sound(state.peakBytes >= 0, "peak bytes " + state.peakBytes);
      double[][] importance = method.importance();
      if (importance != null) {
        sound(importance.length == SHAPE.L(), importance.length + " layers");
        for (double[] layer : importance) {
          sound(layer.length == SHAPE.heads().NH(), layer.length + " heads");
          for (double head : layer) sound(Double.isFinite(head), "importance " + head);
        }
      }
      return List.of(
          state.stage, state.phase, state.step, state.scored, Arrays.deepToString(importance));
    }
  }
}
