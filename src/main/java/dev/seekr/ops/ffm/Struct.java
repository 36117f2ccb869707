package dev.seekr.ops.ffm;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.seekr.ops.Arguments;
import dev.seekr.ops.Members;
import dev.seekr.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** A C struct in native memory, filled member by member as a C compiler lays them out. */
final class Struct implements Members {
  /** Of the largest there is, with much to spare. */
  static final int ROOM = 512;

  private final MemorySegment memory; // [ROOM]
  private long at;

  Struct(MemorySegment memory) {
    this.memory = memory;
  }

  /** The struct that holds {@code arguments}. */
  MemorySegment of(Arguments arguments) {
    at = 0;
    arguments.write(this);
    return memory;
  }

  private long next(int bytes) {
    long offset = (at + bytes - 1) & -bytes;
    at = offset + bytes;
    return offset;
  }

  @Override
  public Struct p(Tensor t) {
    if (t == null) return p(MemorySegment.NULL);
    if (t.data().isNative()) return p(t.data());
    throw new IllegalArgumentException(
        t + " lies in the Java heap; kernels need memory from Memory.allocate");
  }

  @Override
  public Struct p(MemorySegment address) {
    memory.set(ADDRESS, next(8), address);
    return this;
  }

  @Override
  public Struct l(long value) {
    memory.set(JAVA_LONG, next(8), value);
    return this;
  }

  @Override
  public Struct i(int value) {
    memory.set(JAVA_INT, next(4), value);
    return this;
  }

  @Override
  public Struct f(float value) {
    memory.set(JAVA_FLOAT, next(4), value);
    return this;
  }

  /** All structs hold pointers, so they begin and end at multiples of 8. */
  @Override
  public Struct struct(Arguments part) {
    at = (at + 7) & -8;
    part.write(this);
    at = (at + 7) & -8;
    return this;
  }
}
