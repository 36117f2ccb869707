package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/** The model as it was before a task, for as long as the task is trained. */
interface PreviousModel extends Stateful, AutoCloseable {
  /** Its logits [rows.length, V] of the batch's label rows, ascending, in {@code memory}. */
  Tensor logits(Batch batch, int[] rows, Memory memory);

  @Override
  void close();

  /**
   * A second model: no disk, but a pass each batch, and the memory of the weights of then, unless
   * what is trained stands beside them.
   */
  final class Running implements PreviousModel {
    private final Memory memory = new Memory("previous model");
    private final Weights weights; // null: those of the model that is trained
    private final LlamaModel model;

    Running(Trainable now) {
      if (now.knowsBefore()) {
        weights = null;
        model = now.before();
        return;
      }
      LlamaModel like = now.model();
      weights = new Weights(like.config, like.ops(), memory, "previous weights");
      weights.copyFrom(like.weights);
      model = like.like(weights);
    }

    @Override
    public Tensor logits(Batch batch, int[] rows, Memory into) {
      var pass = model.begin(batch, false).all();
      Tensor out = into.allocate("teacher logits", DType.F32, rows.length, model.config.V());
      pass.logits(out, rows);
      return out;
    }

    @Override
    public void save(StateWriter to) {
      to.seldomChanges();
      if (weights != null) to.tensor("weights", weights.flat());
    }

    @Override
    public void load(StateReader from) {
      if (weights != null) from.tensor("weights", weights.flat());
    }

    @Override
    public void close() {
      model.close();
      memory.close();
    }
  }

  /** What it said of the task's samples, computed once and stored. */
  final class Recorded implements PreviousModel {
    private final RunFolder folder;
    private int stage;
    private RecordedLogits logits;

    Recorded(RunFolder folder) {
      this.folder = folder;
    }

    /** Runs the model over all samples of the stage. */
    static Recorded of(Setup setup, Method.Context context) {
      int micro = setup.config().train().microTokens();
      new Teacher(setup.trainable().model(), -1, null, setup.bufferType(), micro)
          .record(setup.folder().recorded(context.index()), context.samples(), null);
      var recorded = new Recorded(setup.folder());
      recorded.open(context.index());
      return recorded;
    }

    private void open(int of) {
      stage = of;
      logits = new RecordedLogits(folder.recorded(stage));
    }

    @Override
    public Tensor logits(Batch batch, int[] rows, Memory into) {
      return logits.of(batch.samples(), into);
    }

    @Override
    public void save(StateWriter to) {
      to.put("stage", stage);
      to.file(ReplayBuffer.index(folder.recorded(stage)));
    }

    @Override
    public void load(StateReader from) {
      open((int) from.whole("stage", 0, Integer.MAX_VALUE - 1));
    }

    /** The files stay for as long as a checkpoint needs them. */
    @Override
    public void close() {}
  }
}
