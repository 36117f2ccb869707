package dev.seekr.method;

import dev.seekr.Failure;
import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.Map;

/** The model as it was before a task, for as long as the task is trained. */
interface PreviousModel extends AutoCloseable {
  /** Its logits [rows.length, V] of the batch's label rows, ascending, in {@code memory}. */
  Tensor logits(Batch batch, int[] rows, Memory memory);

  @Override
  void close();

  /** A second model with the weights of then: no disk, but their memory and a pass each batch. */
  final class Running implements PreviousModel {
    private final Memory memory = new Memory("previous model");
    private final LlamaModel model;

    Running(LlamaModel now) {
      var weights = new Weights(now.config, now.ops(), memory, "previous weights");
      weights.copyFrom(now.weights);
      model = new LlamaModel(now.config, weights, now.ops(), false);
    }

    @Override
    public Tensor logits(Batch batch, int[] rows, Memory into) {
      model.begin(batch, false);
      for (int l = 0; l < model.config.L(); l++) model.forwardLayer(l);
      model.finish();
      Tensor out = into.allocate("teacher logits", DType.F32, rows.length, model.config.V());
      model.logits(out, rows);
      return out;
    }

    @Override
    public void close() {
      model.close();
      memory.close();
    }
  }

  /** What it said of the task's samples, computed once and stored; deleted when closed. */
  final class Recorded implements PreviousModel {
    private final Path folder;
    private final ReplayBuffer buffer;
    private final Map<Sample, Integer> index = new IdentityHashMap<>();

    private Recorded(Path folder) {
      this.folder = folder;
      this.buffer = ReplayBuffer.open(folder);
    }

    /** Runs the model over all samples of the stage. {@code dtype}: F16 or F32. */
    static Recorded of(Method.Context context, DType dtype, int microTokens) {
      Path folder = context.folder().resolve("lwf");
      new Teacher(context.model(), -1, null, dtype, microTokens)
          .record(folder, context.samples(), null);
      var recorded = new Recorded(folder);
      for (int i = 0; i < context.samples().size(); i++)
        recorded.index.put(context.samples().get(i), i);
      return recorded;
    }

    @Override
    public Tensor logits(Batch batch, int[] rows, Memory into) {
      Tensor first = entry(batch.samples().getFirst());
      Tensor out = into.allocate("teacher logits", first.dtype(), rows.length, first.dim(1));
      int r = 0;
      for (Sample sample : batch.samples()) {
        out.rows(r, r + sample.targets()).copyFrom(entry(sample));
        r += sample.targets();
      }
      return out;
    }

    private Tensor entry(Sample sample) {
      return buffer.entry(index.get(sample)).logits();
    }

    @Override
    public void close() {
      buffer.close();
      try (var files = Files.list(folder)) {
        for (Path file : (Iterable<Path>) files::iterator) Files.delete(file);
        Files.delete(folder);
      } catch (IOException e) {
        throw new Failure(Failure.Exit.IO, folder + ": cannot be deleted: " + e, e);
      }
    }
  }
}
