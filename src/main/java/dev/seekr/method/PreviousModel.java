package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/** The model as it was before a task, for as long as the task is trained. */
interface PreviousModel extends Stateful, AutoCloseable {
  /**
   * Its logits [rows.length, V] of the batch's label rows, ascending, times a factor; in {@code
   * memory}, where the model's losses read them.
   */
  Tensor logits(Batch batch, int[] rows, float factor, Memory memory);

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
    public Tensor logits(Batch batch, int[] rows, float factor, Memory into) {
      Ops ops = model.ops();
      Tensor teacher = allocate(into, DType.F32, rows.length);
      var pass = model.begin(batch, false).all();
      if (factor == 1) {
        pass.logits(teacher, rows);
        return teacher;
      }
      try (var unscaled = new Memory("logits")) {
        Tensor out = allocate(unscaled, ops.wide(), rows.length);
        boolean same = ops.wide() == teacher.dtype();
        Tensor scaled = same ? teacher : allocate(unscaled, ops.wide(), rows.length);
        pass.logits(out, rows);
        ops.addScaled(scaled, out, factor);
        if (!same) teacher.copyFrom(scaled);
      }
      return teacher;
    }

    private Tensor allocate(Memory memory, DType dtype, int R) {
      return model.ops().allocate(memory, "teacher logits", dtype, R, model.config.V());
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
    private final Ops ops;
    private int stage;
    private RecordedLogits logits;

    Recorded(Setup setup) {
      folder = setup.folder();
      ops = setup.ops();
    }

    /** Runs the model over all samples of the stage. */
    static Recorded of(Setup setup, Method.Context context) {
      int micro = setup.config().train().microTokens();
      new Teacher(setup.trainable().model(), -1, null, setup.bufferType(), micro)
          .record(setup.folder().recorded(context.index()), context.samples(), null, setup.all());
      var recorded = new Recorded(setup);
      recorded.open(context.index());
      return recorded;
    }

    private void open(int of) {
      stage = of;
      logits = new RecordedLogits(folder.recorded(stage));
    }

    @Override
    public Tensor logits(Batch batch, int[] rows, float factor, Memory into) {
      return logits.of(batch.samples(), factor, ops, into);
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
