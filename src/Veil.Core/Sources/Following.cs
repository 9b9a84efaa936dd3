// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Filters;
using Veil.Core.Kernel;
using Veil.Core.Options;

namespace Veil.Core.Sources;

/// <summary>Following descendants: the programs and maps of <c>bpf/veil/follow.bpf.h</c>, which the objects of a session share. One for a
/// session.</summary>
internal sealed class Following
{
    private const string HandOn = "veil_hand_on";
    private const string Begin = "veil_command_begin";
    private const string End = "veil_command_end";
    private const string State = "veil_commands";

    // Of the two kinds of marks there is one in a session: with the tasks, or by their ids.
    private const string InTasks = "veil_mark_tasks";
    private const string ById = "veil_mark_tids";

    private readonly SessionOptions _options;
    private readonly int _modules;
    private readonly bool _inTasks;
    private readonly Dictionary<string, BpfMapHandle> _shared = new(StringComparer.Ordinal);
    private BpfLink? _begin;

    /// <summary>Makes it for a session.</summary>
    /// <param name="options">What is traced and followed.</param>
    /// <param name="modules">How many modules there are.</param>
    public Following(SessionOptions options, int modules)
    {
        _options = options;
        _modules = modules;
        // A hook that was asked for may have no task that a program may ask for what is kept with it.
        _inTasks = TaskStorage.IsSteady && options.Hook is null;
    }

    /// <summary>The kernel's words for it: <c>enum veil_follow</c>.</summary>
    private uint Kind => _options.Command > 0 ? 2u : _options.Follow ? 1u : 0u;

    /// <summary>The filters that a session has for it.</summary>
    public static IEnumerable<FilterDimension> Filters(SessionOptions options) => options.Follow ? [FollowDimension.Instance] : [];

    /// <summary>The programs that a module attaches before its own. The one that sees the command begin is before all that would
    /// miss it.</summary>
    /// <param name="position">When the module is attached: 0 is the first.</param>
    public IEnumerable<string> ProgramsBefore(int position)
    {
        if (Kind == 0)
            yield break;
        yield return HandOn;
        if (position > 0)
            yield break;
        if (!_inTasks)
        {
            yield return "veil_mark_move";
            yield return "veil_mark_drop";
        }

        if (_options.Command > 0)
            yield return Begin;
    }

    /// <summary>The programs that it attaches after its own: the end of a task is counted once everybody has seen it.</summary>
    public IEnumerable<string> ProgramsAfter(int position) => _options.Command > 0 && position == _modules - 1 ? [End] : [];

    /// <summary>Sets a module's object up, before it is loaded. The first module is attached by then, or this is it.</summary>
    public void Configure(BpfObject bpfObject)
    {
        bpfObject.SetGlobal("veil_follow", Kind);
        bpfObject.SetGlobal("veil_follow_children", _options.Follow);
        bpfObject.SetGlobal("veil_command", (uint)_options.Command);
        bpfObject.SetGlobal("veil_mark_in_tasks", _inTasks);
        bpfObject.Map(State).SetAutoCreate(Kind != 0);
        bpfObject.Map(InTasks).SetAutoCreate(Kind != 0 && _inTasks);
        bpfObject.Map(ById).SetAutoCreate(Kind != 0 && !_inTasks);
        var roots = bpfObject.Map("filter_" + FollowDimension.Instance.Name);
        roots.SetAutoCreate(Kind != 0);
        if (Kind != 0)
            KernelFilter.Configure(bpfObject, FollowDimension.Instance, 0);
        foreach (var (name, map) in _shared)
            bpfObject.Map(name).ReuseFd(map);
    }

    /// <summary>Shares what the first module's object made with the next ones'.</summary>
    /// <param name="position">When the module is attached: only the first one's are taken.</param>
    /// <param name="bpfObject">Attached.</param>
    /// <param name="links">Its links by the programs' names.</param>
    public void Take(int position, BpfObject bpfObject, IReadOnlyDictionary<string, BpfLink> links)
    {
        if (position > 0)
            return;
        foreach (string name in new[] { State, InTasks, ById }.Where(name => bpfObject.Map(name).WillBeCreated))
            _shared[name] = bpfObject.Map(name).Handle;
        _begin = links.GetValueOrDefault(Begin);
    }

    /// <summary>Does anything live that the command is or has made?</summary>
    public bool HasCommandTasks => Command.Tasks > 0;

    /// <summary>Once the command runs its program nobody has to look for that any more.</summary>
    public void Step()
    {
        if (_begin is null || Command.Begun == 0)
            return;
        _begin.Dispose();
        _begin = null;
    }

    private CommandState Command =>
        _shared.TryGetValue(State, out var map) && new BpfHashMap<uint, CommandState>(map).TryGet(0, out var state) ? state : default;

    // struct veil_command_state
    private readonly record struct CommandState(ulong Tasks, ulong Begun);
}
