type Point = number | null;

/** A line through points at even distances, broken where there is none. The last one stands at the right edge. */
export function linePath(points: readonly Point[], span: number, most: number, height: number): string {
  const from = span - points.length;
  let path = '';
  let broken = true;
  for (const [i, point] of points.entries()) {
    if (point === null) {
      broken = true;
      continue;
    }
    const y = (height - 1 - (point / most) * (height - 2)).toFixed(1);
    // A point by itself is a short line.
    path += broken ? `M${from + i},${y}h.5` : `L${from + i},${y}`;
    broken = false;
  }
  return path;
}

/** The highest of each `size` points; null where there is none. Whole groups end at the newest. */
export function highest(points: readonly Point[], size: number): Point[] {
  const groups: Point[] = [];
  for (let end = points.length; end > 0; end -= size) {
    let most: Point = null;
    for (let i = Math.max(0, end - size); i < end; i++) {
      const point = points[i]!;
      if (point !== null && (most === null || point > most)) most = point;
    }
    groups.push(most);
  }
  return groups.reverse();
}
