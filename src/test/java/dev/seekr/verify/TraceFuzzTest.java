package dev.seekr.verify;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.TinyModel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** The trace of a run of a model of three layers with four heads each. */
class TraceFuzzTest extends FuzzTarget {
  private static final LlamaConfig SHAPE = TinyModel.config();

  TraceFuzzTest() {
    super("trace.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    var trace = Trace.read(file, SHAPE);
    for (var step : trace.steps())
      for (double loss : new double[] {step.loss(), step.replay(), step.attention()})
        sound(Double.isFinite(loss), step.toString());
    for (int[] head : trace.heads())
      sound(head[0] < SHAPE.L() && head[1] < SHAPE.heads().NH(), Arrays.toString(head));
    return List.of(trace.settings(), trace.steps(), Arrays.deepToString(trace.heads()));
  }
}
