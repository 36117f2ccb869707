package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;

/** Another library's kernels, for classes that change or look at something of them. */
public abstract class ForwardingOps implements Ops {
  private final Ops ops;

  protected ForwardingOps(Ops ops) {
    this.ops = ops;
  }

  @Override
  public void run(Op op, Arguments arguments) {
    ops.run(op, arguments);
  }

  @Override
  public DType dtype() {
    return ops.dtype();
  }

  @Override
  public String description() {
    return ops.description();
  }

  @Override
  public String arithmetic() {
    return ops.arithmetic();
  }

  @Override
  public Place place() {
    return ops.place();
  }

  @Override
  public Clock clock() {
    return ops.clock();
  }

  @Override
  public int logitRows(int V) {
    return ops.logitRows(V);
  }

  @Override
  public Ops host() {
    return ops.host();
  }

  @Override
  public void reserve(long bytes) {
    ops.reserve(bytes);
  }

  @Override
  public void close() {
    ops.close();
  }
}
