// SPDX-License-Identifier: GPL-3.0-only
namespace Veil.Core.Export;

/// <summary>
/// What is between the reader of events, who waits for nothing, and the receiver, who may take for ever: batches that are to be packed, and
/// requests that are to be sent. Both are bounded; what has no room is counted by its cause.
/// </summary>
/// <param name="bytesMax">Of the requests.</param>
internal sealed class OtlpQueue(long bytesMax)
{
    private const int SendingMs = 1_000;
    private const int BatchesMax = 40;

    private readonly object _gate = new();
    private readonly Stack<OtlpBatch> _free = [];
    private readonly Queue<OtlpBatch> _full = [];
    private readonly Queue<OtlpRequest> _requests = [];
    private readonly long[] _dropped = new long[Enum.GetValues<OtlpCause>().Length];
    private int _made;
    private bool _packing;
    private bool _sending;
    private bool _ending;
    private bool _abandoned;

    /// <summary>Bytes that wait for the receiver. From any thread.</summary>
    public long Bytes { get; private set; }

    /// <summary>Requests that wait.</summary>
    public int Requests
    {
        get
        {
            lock (_gate)
                return _requests.Count;
        }
    }

    /// <summary>Nothing more comes.</summary>
    public bool IsEnding
    {
        get
        {
            lock (_gate)
                return _ending;
        }
    }

    /// <summary>A batch to fill, or nothing: all are full.</summary>
    public OtlpBatch? TryBegin()
    {
        lock (_gate)
        {
            if (_free.TryPop(out var batch))
                return batch;
            if (_made == BatchesMax)
                return null;
            _made++;
        }

        return new OtlpBatch();
    }

    /// <summary>Takes a batch that is full.</summary>
    public void Add(OtlpBatch batch)
    {
        lock (_gate)
        {
            _full.Enqueue(batch);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Takes one back that was packed, or has nothing in it.</summary>
    public void GiveBack(OtlpBatch batch)
    {
        batch.Clear();
        lock (_gate)
            _free.Push(batch);
    }

    /// <summary>Waits for a batch to pack; nothing at the end.</summary>
    public OtlpBatch? NextBatch()
    {
        lock (_gate)
        {
            _packing = false;
            Monitor.PulseAll(_gate);
            while (_full.Count == 0 && !_ending)
                Monitor.Wait(_gate);
            _packing = _full.Count > 0;
            return _full.TryDequeue(out var batch) ? batch : null;
        }
    }

    /// <summary>Takes a request, or counts its events as lost.</summary>
    public void Add(OtlpRequest request)
    {
        lock (_gate)
        {
            if (_abandoned || Bytes + request.Body.Length > bytesMax)
            {
                Drop(_abandoned ? OtlpCause.NotSent : OtlpCause.BufferFull, request.Events);
                return;
            }

            Bytes += request.Body.Length;
            _requests.Enqueue(request);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits for the first request, which stays where it is.</summary>
    /// <param name="untilMs">For so long.</param>
    /// <returns>Nothing where none came, or nothing more will.</returns>
    public OtlpRequest? First(long untilMs)
    {
        lock (_gate)
        {
            while (_requests.Count == 0 && !IsOver && untilMs - Environment.TickCount64 is > 0 and var left)
                Monitor.Wait(_gate, (int)left);
            _sending = _requests.TryPeek(out var first);
            return first;
        }
    }

    /// <summary>The first request is done.</summary>
    public void RemoveFirst()
    {
        lock (_gate)
        {
            _sending = false;
            if (_requests.TryDequeue(out var done))
                Bytes -= done.Body.Length;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Is everything done, and nothing more comes?</summary>
    public bool IsOver
    {
        get
        {
            lock (_gate)
                return _ending && !_packing && _full.Count == 0 && _requests.Count == 0;
        }
    }

    /// <summary>Sleeps, unless the end comes.</summary>
    public void Sleep(int ms)
    {
        long until = Environment.TickCount64 + ms;
        lock (_gate)
        {
            bool wasEnding = _ending;
            _sending = false;
            while (_ending == wasEnding && until - Environment.TickCount64 is > 0 and var left)
                Monitor.Wait(_gate, (int)left);
        }
    }

    /// <summary>Nothing more comes: waits until all is sent, or for so long. What is not sent by then never is.</summary>
    /// <param name="ms">Milliseconds.</param>
    /// <param name="isForced">Is nothing more to be waited for?</param>
    public void End(int ms, Func<bool> isForced)
    {
        const int lookMs = 50;
        long until = Environment.TickCount64 + ms;
        lock (_gate)
        {
            _ending = true;
            Monitor.PulseAll(_gate);
            // One that is on its way has a little longer: what becomes of it would not be known.
            while (!IsOver && !isForced() && Environment.TickCount64 < until + (_sending ? SendingMs : 0))
                Monitor.Wait(_gate, lookMs);
            _abandoned = true;
            foreach (var batch in _full)
                Drop(OtlpCause.NotSent, batch.Events);
            _full.Clear();
            // One that is being packed takes a millisecond.
            while (_packing)
                Monitor.Wait(_gate);
            foreach (var request in _requests)
                Drop(OtlpCause.NotSent, request.Events);
            _requests.Clear();
            Bytes = 0;
        }
    }

    /// <summary>Counts events as lost.</summary>
    public void Drop(OtlpCause cause, long events) => Interlocked.Add(ref _dropped[(int)cause], events);

    /// <summary>Those that were lost for a cause, so far.</summary>
    public long Dropped(OtlpCause cause) => Interlocked.Read(ref _dropped[(int)cause]);
}
