// SPDX-License-Identifier: GPL-3.0-only
using Veil.Core.Containers;

namespace Veil.Core.Tests.Containers;

public sealed class ContainerPlaceTests
{
    private const string Id = "3f2a9c0d1e4b5a697887766554433221100ffeeddccbbaa99887766554433221";
    private const string Other = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    private const string Uid = "0c1d2e3f-1111-4222-8333-444455556666";
    private const string UidSlice = "0c1d2e3f_1111_4222_8333_444455556666";
    private const string StaticUid = "0123456789abcdef0123456789abcdef";

    [Theory]
    // docker
    [InlineData($"/docker/{Id}", Id, "docker", null)]
    [InlineData($"/docker/{Id}/init", Id, "docker", null)]
    [InlineData($"/system.slice/docker-{Id}.scope", Id, "docker", null)]
    [InlineData($"/system.slice/docker-{Id}.scope/init.scope", Id, "docker", null)]
    // podman
    [InlineData($"/machine.slice/libpod-{Id}.scope", Id, "podman", null)]
    [InlineData($"/machine.slice/libpod-{Id}.scope/container", Id, "podman", null)]
    [InlineData($"/machine.slice/libpod-{Id}.scope/libpod-payload-{Id}", Id, "podman", null)]
    [InlineData($"/machine.slice/machine-libpod_pod_{Other}.slice/libpod-{Id}.scope", Id, "podman", null)]
    [InlineData($"/libpod_parent/libpod-{Id}", Id, "podman", null)]
    [InlineData($"/system.slice/web.service/libpod-payload-{Id}", Id, "podman", null)]
    // containerd
    [InlineData($"/k8s.io/{Id}", Id, "containerd", null)]
    [InlineData($"/system.slice/nerdctl-{Id}.scope", Id, "containerd", null)]
    // kubelet, driver systemd
    [InlineData($"/kubepods.slice/kubepods-pod{UidSlice}.slice/cri-containerd-{Id}.scope", Id, "containerd", Uid)]
    [InlineData(
        $"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UidSlice}.slice/cri-containerd-{Id}.scope", Id, "containerd", Uid)]
    [InlineData(
        $"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod{UidSlice}.slice/crio-{Id}.scope/container", Id, "crio", Uid)]
    [InlineData($"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{StaticUid}.slice/docker-{Id}.scope", Id, "docker", StaticUid)]
    [InlineData(
        $"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-besteffort.slice/kubelet-kubepods-besteffort-pod{UidSlice}.slice/cri-containerd-{Id}.scope",
        Id, "containerd", Uid)]
    [InlineData($"/system.slice/containerd.service/kubepods-burstable-pod{UidSlice}.slice:cri-containerd:{Id}", Id, "containerd", Uid)]
    // kubelet, driver cgroupfs
    [InlineData($"/kubepods/burstable/pod{Uid}/{Id}", Id, null, Uid)]
    [InlineData($"/kubepods/besteffort/pod{Uid}/{Id}", Id, null, Uid)]
    [InlineData($"/kubepods/pod{StaticUid}/{Id}", Id, null, StaticUid)]
    [InlineData($"/kubepods/burstable/pod{Uid}/crio-{Id}", Id, "crio", Uid)]
    // machines and LXC
    [InlineData("/machine.slice/systemd-nspawn@web.service/payload/init.scope", "web", "nspawn", null)]
    [InlineData(@"/machine.slice/systemd-nspawn@my\x2dweb.service", "my-web", "nspawn", null)]
    [InlineData(@"/machine.slice/machine-my\x2dweb.scope", "my-web", "nspawn", null)]
    [InlineData("/machine.slice/web.scope", "web", "nspawn", null)]
    [InlineData(@"/machine.slice/machine-lxc\x2d812\x2dweb.scope", "812-web", "lxc", null)]
    [InlineData("/lxc/web", "web", "lxc", null)]
    [InlineData("/lxc/web/init.scope", "web", "lxc", null)]
    [InlineData("/lxc.payload.web/system.slice/ssh.service", "web", "lxc", null)]
    [InlineData("/lxc.payload/web", "web", "lxc", null)]
    // scopes of bare runtimes, and others
    [InlineData("/system.slice/runc-my.job.scope", "my.job", "runc", null)]
    [InlineData("/user.slice/user-1000.slice/user@1000.service/user.slice/crun-job.scope", "job", "crun", null)]
    [InlineData($"/ecs/5c52a5bb7d2a44dd9bf1ce9aa5e6ad9f/{Id}", Id, null, null)]
    [InlineData("/ecs/x/5c52a5bb7d2a44dd9bf1ce9aa5e6ad9f-2531612879", "5c52a5bb7d2a44dd9bf1ce9aa5e6ad9f-2531612879", null, null)]
    public void Find_APathOfARuntime_IsItsContainer(string path, string id, string? runtime, string? podUid)
    {
        var place = ContainerPlace.Find(path).ShouldNotBeNull();
        (place.Id, place.Runtime, place.PodUid, place.IsNested).ShouldBe((id, runtime, podUid, false));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("//")]
    [InlineData("/system.slice/docker.service")]
    [InlineData("/docker/buildx")]
    [InlineData("/docker")]
    [InlineData("/lxc")]
    [InlineData("/lxc.monitor.web")]
    [InlineData("/lxc.payload.")]
    [InlineData("/machine.slice")]
    [InlineData("/machine.slice/systemd-nspawn@.service")]
    [InlineData(@"/machine.slice/machine-qemu\x2d1\x2dvm.scope")]
    [InlineData($"/machine.slice/libpod-conmon-{Id}.scope")]
    [InlineData($"/system.slice/crio-conmon-{Id}.scope")]
    [InlineData("/system.slice/docker-3f2a.scope")]
    [InlineData($"/system.slice/docker-{Id}0.scope")]
    [InlineData("/system.slice/runc-.scope")]
    [InlineData("/system.slice/runc-x")]
    [InlineData($"/kubepods/burstable/pod{Uid}")]
    [InlineData("/system.slice/docker-3F2A9C0D1E4B5A6978877665544332211FEEDDCCBBAA9988776655443322110000.scope")]
    public void Find_NoContainer_IsNone(string path) => ContainerPlace.Find(path).ShouldBeNull();

    [Theory]
    [InlineData($"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{Id}.scope", 1000u)]
    [InlineData($"/user.slice/user-0.slice/session-1.scope/docker/{Id}", 0u)]
    [InlineData($"/user.slice/user-1000.slice/user@1000.service/user.slice/user-1001.slice/docker-{Id}.scope", 1000u)]
    [InlineData($"/user.slice/user-99999999999.slice/docker-{Id}.scope", null)]
    [InlineData($"/system.slice/user.slice/user-1001.slice/docker-{Id}.scope", null)]
    public void Find_BelowASlice_HasItsUser(string path, uint? user) => ContainerPlace.Find(path).ShouldNotBeNull().User.ShouldBe(user);

    [Fact]
    public void Find_AContainerInAContainer_IsTheInnerOneAndMarked()
    {
        var place = ContainerPlace.Find($"/docker/{Other}/kubelet/kubepods/besteffort/pod{Uid}/{Id}/x").ShouldNotBeNull();
        place.ShouldBe(new ContainerPlace(Id, null, Uid, null, $"/docker/{Other}/kubelet/kubepods/besteffort/pod{Uid}/{Id}", null, IsNested: true));
    }

    [Theory]
    [InlineData(@"\x", @"\x")]
    [InlineData(@"\x4", @"\x4")]
    [InlineData(@"\xzz\x41", @"\xzzA")]
    [InlineData(@"\xc3\xa4", "ä")]
    [InlineData(@"\x1b\x5b2J", "\u001b[2J")]
    [InlineData(@"\xff", "\ufffd")]
    public void Find_AnEscapedName_IsReadAsSystemdWroteIt(string escaped, string name) =>
        ContainerPlace.Find($"/machine.slice/systemd-nspawn@{escaped}.service").ShouldNotBeNull().Id.ShouldBe(name);
}
