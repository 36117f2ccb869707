package dev.seekr.model;

import dev.seekr.Stop;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.ops.Ops;
import dev.seekr.ops.Ops.Heads;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;

/**
 * A LLaMA: its shape, its weights and what takes part beside them. {@link Pass} says what it
 * computes. All models that {@link #with} makes of one share room for activations, so that at most
 * one pass of them is under way: the next one that begins ends it.
 *
 * <p>What is defined here, in order:
 *
 * <pre>
 *   with                     the same model with adapters, dropout, or another's attention
 *   like                     a second model of the same shape, on other weights
 *   forward, begin           a pass over a batch, at once or layer by layer ({@link Pass})
 *   activations, rope        what a pass stands on, kept for the next one
 *   release, close           gives it back
 * </pre>
 */
public final class LlamaModel implements AutoCloseable {
  public final LlamaConfig config;
  public final Weights weights;
  final Adapters adapters;
  private final Ops ops;
  private final Room room;
  private final Graft graft; // null: attention is its own

  /** What passes need beside the weights, allocated for the largest so far. */
  private static final class Room {
    final Recompute recompute;
    final OutputLayer output;
    final Memory ropeMemory = new Memory("rope");
    Rope.Table rope;
    Activations acts;
    Memory batch; // of the pass under way
    Pass pass;
    Stop stop = Stop.NEVER;

    Room(Recompute recompute, OutputLayer output) {
      this.recompute = recompute;
      this.output = output;
    }
  }

  /** {@code recompute}: what a backward pass computes again. */
  public LlamaModel(LlamaConfig config, Weights weights, Ops ops, Recompute recompute) {
    this(
        config,
        weights,
        Adapters.NONE,
        ops,
        new Room(recompute, new OutputLayer(config, ops)),
        null);
  }

  private LlamaModel(
      LlamaConfig config, Weights weights, Adapters adapters, Ops ops, Room room, Graft graft) {
    this.config = config;
    this.weights = weights;
    this.adapters = adapters;
    this.ops = ops;
    this.room = room;
    this.graft = graft;
  }

  public Ops ops() {
    return ops;
  }

  /** This model with other adapters than its own, in the same room; it need not be closed. */
  public LlamaModel with(Adapters others) {
    return new LlamaModel(config, weights, others, ops, room, graft);
  }

  /**
   * This model with another one's attention, in the same room, to answer with; it need not be
   * closed.
   *
   * @throws IllegalArgumentException where the other is of another shape, or in this one's room
   */
  public LlamaModel with(Graft other) {
    Graft.mismatch(other.from().config, config)
        .ifPresent(
            mismatch -> {
              throw new IllegalArgumentException(mismatch);
            });
    if (other.from().room == room)
      throw new IllegalArgumentException("two passes at once need two rooms");
    return new LlamaModel(config, weights, adapters, ops, room, other);
  }

  /** Whose attention this one has; null: its own. */
  Graft graft() {
    return graft;
  }

  /** How heads lie in the rows that attention reads. */
  Heads heads() {
    return graft == null ? config.heads() : graft.layout(config.heads());
  }

  /** This model with dropout in the adapters that are trained, for the passes of one step. */
  public LlamaModel with(Dropout dropout) {
    return with(adapters.with(dropout));
  }

  /**
   * A second model of this shape, with other weights, for inference; who stops this one now stops
   * it.
   */
  public LlamaModel like(Weights others) {
    var model = new LlamaModel(config, others, ops, Recompute.none);
    model.stop(stop());
    return model;
  }

  /**
   * Who may stop a pass: it is given up between two layers, and what it was to yield is undefined.
   * At first nobody.
   */
  public void stop(Stop stop) {
    room.stop = stop;
  }

  public Stop stop() {
    return room.stop;
  }

  /** Runs the batch through all layers and keeps what {@link Pass#backward} needs. */
  public Pass forward(Batch batch) {
    return begin(batch, true).all();
  }

  /**
   * Starts a forward pass: embeds the tokens. Follow with {@link Pass#layer} for each layer, then
   * {@link Pass#finish}.
   *
   * @param training whether a backward pass will follow
   */
  public Pass begin(Batch batch, boolean training) {
    return begin(batch.tokens(), batch.positions(), batch.cuSeqlens(), training);
  }

  Pass begin(int[] tokens, int[] positions, int[] cuSeqlens, boolean training) {
    room.stop.poll();
    if (graft != null && training)
      throw new IllegalStateException("with grafted attention a model answers alone");
    Pass other = graft == null ? null : graft.from().begin(tokens, positions, cuSeqlens, false);
    int N = tokens.length, longest = 0;
    for (int p : positions) longest = Math.max(longest, p + 1);
    activations(N, training);
    rope(longest);
    if (room.batch != null) room.batch.close();
    room.batch = new Memory("batch");
    room.acts.positions.copyFrom(positions);
    room.pass = new Pass(this, room.acts, room.rope, tokens, ints(cuSeqlens), room.batch, other);
    return room.pass;
  }

  private Tensor ints(int[] values) {
    Tensor t = room.batch.allocate("tokens", DType.I32, values.length);
    t.copyFrom(values);
    return t;
  }

  /** Polls who may stop, and throws IllegalStateException where another pass has begun since. */
  void check(Pass pass) {
    if (pass != room.pass)
      throw new IllegalStateException("this pass has ended: another one began");
    room.stop.poll();
  }

  OutputLayer output() {
    return room.output;
  }

  private void activations(int N, boolean training) {
    var keep =
        !training
            ? Activations.Keep.NOTHING
            : switch (room.recompute) {
              case layers -> Activations.Keep.INPUTS;
              case feed_forward -> Activations.Keep.ATTENTION;
              case none -> Activations.Keep.ALL;
            };
    var acts = room.acts;
    // A batch without a backward pass may use buffers that keep more. The room of such a batch,
    // often
    // the largest, is not what every layer of the next needs.
    if (acts == null || acts.capacity < N || acts.keep.compareTo(keep) < 0) {
      release();
      room.acts = new Activations(config, ops, keep, N);
    }
    room.acts.fit(N);
  }

  private void rope(int longest) {
    if (room.rope != null && room.rope.cos().dim(0) >= longest) return;
    int positions = Math.max(longest, Math.min(2 * longest, config.maxPositions()));
    room.rope = config.rope().table(positions, ops, room.ropeMemory);
  }

  /** Frees the activations; the next batch allocates them again. */
  public void release() {
    if (room.acts != null) room.acts.close();
    room.acts = null;
    room.pass = null;
  }

  @Override
  public void close() {
    release();
    if (room.batch != null) room.batch.close();
    room.batch = null;
    room.ropeMemory.close();
    room.output.close();
  }
}
