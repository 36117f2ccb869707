package dev.seekr.ops;

import dev.seekr.ops.Ops.Distance;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;

/**
 * R rows of logits and what they are held against.
 *
 * @param nll [R] F64
 * @param distill [R] F64; may be null where teacher is
 * @param logits [R,V], turned into their gradient when {@code grad}
 * @param target [R] I32, -1: no label
 * @param wNll [R] F32, looked at when {@code grad}
 * @param teacher [*,V] F16 or F32 raw logits; null: nothing is distilled
 * @param teacherRow [R] I32, -1: no teacher
 * @param wDistill [R] F32, looked at when {@code grad}
 */
public record LossRows(
    Tensor nll,
    Tensor distill,
    Tensor logits,
    Tensor target,
    Tensor wNll,
    Tensor teacher,
    Tensor teacherRow,
    Tensor wDistill,
    Distance distance,
    boolean grad)
    implements Arguments {
  @Override
  public void check(Shapes shapes) {
    Shapes.matrix("loss logits", logits);
    long R = logits.dim(0), V = logits.dim(1);
    shapes.elements("loss logits", logits, R, V);
    Shapes.doubles("loss nll", nll, R);
    Shapes.ints("loss target", target, R);
    if (grad) shapes.wide("loss wNll", wNll, R);
    if (distill != null || teacher != null) Shapes.doubles("loss distill", distill, R);
    if (teacher == null) return;
    DType stored = teacher.dtype() == DType.F16 ? DType.F16 : DType.F32;
    long rows = Shapes.rows("loss teacher", teacher, V);
    shapes.floating("loss teacher", teacher, stored, rows, V);
    Shapes.ints("loss teacherRow", teacherRow, R);
    // The kernel is not told how many rows the teacher has.
    Shapes.indices("loss teacherRow", teacherRow, -1, rows);
    if (grad) shapes.wide("loss wDistill", wDistill, R);
  }

  @Override
  public void write(Members to) {
    to.p(nll).p(distill).p(logits).p(target).p(wNll).p(teacher);
    to.p(teacher == null ? null : teacherRow).p(wDistill).l(logits.dim(0)).l(logits.dim(1));
    to.i(teacher != null && teacher.dtype() == DType.F16).i(distance.ordinal()).i(grad);
  }
}
